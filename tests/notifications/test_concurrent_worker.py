"""Many endpoints in one run: at once, one at a time each, and none that hangs holds up the others."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from incidents.models import Page
from statuspage.dispatcher.loop import LocalSender
from statuspage.notifications import concurrent_worker
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import ChannelState, Delivery
from statuspage.notifications.worker import deliver_due
from statuspage.subscribers.models import Subscriber
from tests.factories import make_endpoint, make_incident, post
from tests.receivers import Receiver, Reply
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]


def make_endpoints(page: Page, receiver: Receiver, *names: str) -> None:
    for name in names:
        make_endpoint(page, receiver.url(f"/{name}"))


def test_endpoints_are_called_at_the_same_time(page: Page, receiver: Receiver) -> None:
    make_endpoints(page, receiver, *(f"hook{n}" for n in range(20)))
    receiver.reply = Reply(after=0.3)
    make_incident(page)
    fan_out_waiting()
    assert deliver_due("webhook") == 20
    times = [received.at for received in receiver.requests]
    assert len({received.path for received in receiver.requests}) == 20
    assert max(times) - min(times) < 20 * 0.3 / 2


def test_an_endpoint_receives_one_request_at_a_time(page: Page, receiver: Receiver) -> None:
    make_endpoints(page, receiver, "one", "two")
    receiver.reply = Reply(after=0.05)
    for _ in range(4):
        make_incident(page)
    fan_out_waiting()
    while deliver_due("webhook"):
        pass
    assert len(receiver.requests) == 8
    assert receiver.most_at_once == {"/one": 1, "/two": 1}


def test_two_workers_send_one_request_at_a_time_to_an_endpoint(page: Page, receiver: Receiver) -> None:
    make_endpoints(page, receiver, "one")
    receiver.reply = Reply(after=0.1)
    for _ in range(4):
        make_incident(page)
    fan_out_waiting()

    def work() -> None:
        try:
            deliver_due("webhook")
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    while deliver_due("webhook"):
        pass
    assert (len(receiver.requests), receiver.most_at_once) == (4, {"/one": 1})


def test_no_two_claims_share_an_endpoint(page: Page, receiver: Receiver) -> None:
    make_endpoints(page, receiver, "one", "two")
    for _ in range(3):
        make_incident(page)
    fan_out_waiting()
    first = Delivery.objects.claim_one_each("webhook", token="a", limit=10)
    assert len({delivery.subscriber_id for delivery in first}) == len(first) == 2
    assert Delivery.objects.claim_one_each("webhook", token="b", limit=10) == []
    Delivery.objects.mark_sent([first[0].pk])
    (next_one,) = Delivery.objects.claim_one_each("webhook", token="b", limit=10)
    assert next_one.subscriber_id == first[0].subscriber_id


def test_slow_endpoints_do_not_delay_the_others(
    page: Page, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than there are places, and all first in line."""
    monkeypatch.setattr(concurrent_worker, "QUICK_SECONDS", 0.2)
    hanging = [f"hang{n}" for n in range(40)]
    make_endpoints(page, receiver, *hanging, *(f"ok{n}" for n in range(10)))
    receiver.replies = {f"/{name}": Reply(after=4) for name in hanging}
    make_incident(page)
    fan_out_waiting()
    started = time.monotonic()
    deliver_due("webhook")
    healthy = [received.at - started for received in receiver.requests if received.path.startswith("/ok")]
    assert len(healthy) == 10
    assert max(healthy) < 3.5
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_what_is_published_while_one_hangs_is_told_at_once_by_the_dispatcher_itself(
    page: Page, receiver: Receiver
) -> None:
    make_endpoints(page, receiver, "hang", "ok")
    receiver.replies = {"/hang": Reply(after=60)}
    stop = threading.Event()
    sender = LocalSender("webhook", stop)
    sender.start()
    try:
        incident = make_incident(page)
        fan_out_waiting()
        sender.wake()
        wait_until(lambda: len(receiver.requests) == 2, "both are called")
        post(incident)
        fan_out_waiting()
        wait_until(lambda: len(receiver.at("/ok")) == 2, "the healthy one is called again", seconds=5)
        assert len(receiver.at("/hang")) == 1
    finally:
        stop.set()
        receiver.stop()
        sender.finish(deadline=time.monotonic() + 10)
    assert not sender.is_alive()


def test_stopping_does_not_wait_for_slow_endpoints(
    page: Page, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrent_worker, "STOP_WITHIN", 0.3)
    make_endpoints(page, receiver, "hang")
    receiver.reply = Reply(after=30)
    make_incident(page)
    fan_out_waiting()
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    started = time.monotonic()
    deliver_due("webhook", stop=stop)
    assert time.monotonic() - started < 5
    # Perhaps it arrives yet: it is not given back, its lease runs out.
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("queued", 0)
    assert delivery.lease_until is not None


def test_a_lease_is_renewed_while_an_endpoint_takes_its_time(
    page: Page, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statuspage.notifications.acknowledgements.RENEW_EVERY", 0.1)
    make_endpoints(page, receiver, "slow")
    receiver.reply = Reply(after=1.0)
    make_incident(page)
    fan_out_waiting()
    leases = []

    def look() -> None:
        for _ in range(2):
            time.sleep(0.35)
            leases.append(Delivery.objects.values_list("lease_until", flat=True).get())
        connection.close()

    watcher = threading.Thread(target=look)
    watcher.start()
    deliver_due("webhook")
    watcher.join()
    first, second = leases
    assert first is not None
    assert second is not None
    assert second > first


def test_a_message_that_cannot_be_composed_does_not_delay_the_others(page: Page, receiver: Receiver) -> None:
    make_endpoints(page, receiver, "ok")
    broken = make_endpoint(page, receiver.url("/broken"), secret="whsec_not base64!")
    make_incident(page)
    fan_out_waiting()
    deliver_due("webhook")
    assert [received.path for received in receiver.requests] == ["/ok"]
    assert "Candor could not send this" in Delivery.objects.get(subscriber=broken).last_error


def test_an_unavailable_sms_gateway_fails_no_delivery(page: Page, receiver: Receiver, settings: Settings) -> None:
    settings.SMS_GATEWAY_URL, settings.SMS_FROM = receiver.url("/sms"), "Acme"
    for number in range(3):
        make_endpoint(page, f"+4915100000{number}0", "sms")
    receiver.reply = Reply(401, b"bad password")
    make_incident(page)
    fan_out_waiting()
    deliver_due("sms")
    assert ChannelState.objects.get().last_error == "The SMS gateway refused the request: 401 bad password"
    assert set(Delivery.objects.values_list("state", "attempts", "lease_until")) == {("queued", 0, None)}
    assert Subscriber.objects.filter(state="active", failures=0).count() == 3
    receiver.reply = Reply(201)
    ChannelState.objects.update(paused_until=timezone.now() - timedelta(seconds=1))
    assert deliver_due("sms") == 3
    assert not ChannelState.objects.in_trouble().exists()
