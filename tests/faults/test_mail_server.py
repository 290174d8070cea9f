"""Mail servers that refuse, hang up, drip and stay silent. Real sockets, and the sender in this process."""

import time
from datetime import timedelta

import pytest
from pytest_django import Settings

from incidents.models import Page
from statuspage.dispatcher.loop import deliver_everything
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import ChannelState, Delivery
from statuspage.notifications.transports.base import RETRY_AFTER
from statuspage.subscribers.models import Subscriber, SubscriberState
from tests.factories import make_incident, make_page, make_subscriber
from tests.fast_smtp_sink import share_of
from tests.faults.fleet import FULL, say, sized
from tests.smtp_sink_process import FastSink

pytestmark = pytest.mark.django_db(transaction=True)

READERS = sized(400, 5000)


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def sink(fast_sink: FastSink, settings: Settings) -> FastSink:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", fast_sink.port
    settings.EMAIL_TIMEOUT = 10
    return fast_sink


def publish(page: Page, readers: int = READERS) -> None:
    for _ in range(readers):
        make_subscriber(page)
    make_incident(page)
    fan_out_waiting()


def send_all() -> None:
    while deliver_everything():
        pass


def an_age_later() -> None:
    """All that waits for its next try is due, and the channel has rested."""
    Delivery.objects.queued().update(next_attempt_at="2020-01-01T00:00:00Z")
    ChannelState.objects.update(paused_until=None)


def states() -> dict[str, int]:
    values = list(Delivery.objects.values_list("state", flat=True))
    return {state: values.count(state) for state in sorted(set(values))}


def test_451_for_a_while_delays_and_loses_nothing(
    page: Page, sink: FastSink, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(page)
    sink.set(defer=1)
    send_all()
    assert states() == {"queued": READERS}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
    sink.set(defer=0)
    an_age_later()
    send_all()
    assert states() == {"sent": READERS}
    stat = sink.stat()
    assert stat["mails"] == stat["readers"] == READERS
    assert not Subscriber.objects.exclude(state=SubscriberState.ACTIVE).exists()
    assert timedelta(hours=23) < sum(RETRY_AFTER, timedelta()) < timedelta(hours=25)
    say(capsys, f"451 for a while: {READERS} mails, lost 0, doubled 0, tried again after {RETRY_AFTER[0].seconds} s")


def test_550_for_some_strikes_those_off_and_nobody_else(
    page: Page, sink: FastSink, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(page)
    sink.set(refuse=0.05)
    send_all()
    refused = {subscriber.pk for subscriber in Subscriber.objects.all() if share_of(subscriber.email.encode()) < 0.05}
    assert refused
    assert set(Subscriber.objects.filter(state=SubscriberState.PAUSED).values_list("pk", flat=True)) == refused
    assert states() == {"failed": len(refused), "sent": READERS - len(refused)}
    assert sink.stat()["mails"] == READERS - len(refused)
    say(capsys, f"550 for 5 %: {READERS} mails, {len(refused)} refused and paused, lost 0, doubled 0")


def test_421_after_every_twenty_mails_burns_no_attempt(
    page: Page, sink: FastSink, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(page)
    sink.set(goodbye_each=20)
    send_all()
    stat = sink.stat()
    assert stat["mails"] == stat["readers"] == READERS
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert not ChannelState.objects.in_trouble().exists()
    say(capsys, f"421 each 20 mails: {READERS} mails over {stat['connections']} connections, lost 0, doubled 0")


def test_a_mail_whose_answer_never_came_is_sent_once_more_at_most(
    page: Page, sink: FastSink, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(page)
    sink.set(cut_after_data=0.05)
    send_all()
    while Delivery.objects.queued().exists():
        an_age_later()
        send_all()
    cut = sum(share_of(subscriber.email.encode()) < 0.05 for subscriber in Subscriber.objects.all())
    assert cut
    assert sink.copies() == {1: READERS - cut, 2: cut}
    assert states() == {"failed": cut, "sent": READERS - cut}
    errors = Delivery.objects.filter(state="failed").values_list("last_error", flat=True)
    assert all(error.startswith("Sent twice and never answered: it may have arrived.") for error in errors)
    assert not Subscriber.objects.exclude(state=SubscriberState.ACTIVE).exists()
    say(capsys, f"cut after DATA for 5 %: {READERS} mails, lost 0, {cut} sent twice and none thrice")


def test_a_byte_a_second_ends_at_the_deadline_and_the_channel_rests(
    page: Page, sink: FastSink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not FULL:
        monkeypatch.setattr("statuspage.notifications.transports.smtp.connection.MESSAGE_SECONDS", 2.0)
        monkeypatch.setattr("statuspage.notifications.transports.smtp.connect.CONNECT_SECONDS", 2.0)
    publish(page, readers=40)
    sink.set(drip=1)
    began = time.monotonic()
    send_all()
    held = time.monotonic() - began
    assert ChannelState.objects.is_paused("email")
    assert set(Delivery.objects.values_list("state", "attempts", "lease_until")) == {("queued", 0, None)}
    sink.set(drip=0)
    an_age_later()
    send_all()
    assert states() == {"sent": 40}
    assert sink.copies() == {1: 40}
    say(capsys, f"one byte a second: held up {held:.1f} s, then the channel rests; lost 0, doubled 0")


def test_answers_that_drip_in_the_middle_of_a_mail_end_at_the_deadline(
    page: Page, sink: FastSink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not FULL:
        monkeypatch.setattr("statuspage.notifications.transports.smtp.connection.MESSAGE_SECONDS", 2.0)
        monkeypatch.setattr("statuspage.notifications.transports.smtp.pool.MESSAGE_SECONDS", 2.0)
    publish(page, readers=40)
    sink.set(drip_from_mail=1)
    began = time.monotonic()
    send_all()
    held = time.monotonic() - began
    assert ChannelState.objects.is_paused("email")
    # The mails that took all the time wait for their turn, so that one slow mailbox cannot hold up all others.
    assert Delivery.objects.filter(attempts=0).count() >= 36
    sink.set(drip_from_mail=0)
    for _ in range(2):
        an_age_later()
        send_all()
    assert states() == {"sent": 40}
    say(capsys, f"one byte a second from MAIL on: held up {held:.1f} s; lost 0, {sink.copies()}")


def test_a_black_hole_makes_the_channel_rest_and_burns_nothing(
    page: Page, sink: FastSink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not FULL:
        monkeypatch.setattr("statuspage.notifications.transports.smtp.connect.CONNECT_SECONDS", 1.5)
    publish(page, readers=40)
    sink.set(mute=1)
    began = time.monotonic()
    send_all()
    held = time.monotonic() - began
    assert ChannelState.objects.get().last_error.startswith("Cannot connect to the mail server")
    assert set(Delivery.objects.values_list("state", "attempts", "lease_until")) == {("queued", 0, None)}
    sink.set(mute=0)
    an_age_later()
    send_all()
    assert states() == {"sent": 40}
    assert sink.copies() == {1: 40}
    say(capsys, f"black hole: held up {held:.1f} s, then the channel rests; lost 0, doubled 0")
