"""Mail servers that are slow, that ask to come back later, and that close idle connections. Real sockets."""

import os
import threading
import time
from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django import Settings

from incidents.models import Page
from statuspage.dispatcher.loop import deliver_everything
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import ChannelState, Delivery
from statuspage.notifications.transports.base import RETRY_AFTER
from statuspage.notifications.transports.smtp import kept_pool
from statuspage.notifications.transports.smtp.kept_pool import KEPT_POOL
from tests.factories import make_incident, make_subscriber
from tests.faults.fleet import FULL, say, sized
from tests.notifications.mailbox import use_server
from tests.servers import wait_until
from tests.smtp_sink_process import FastSink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sink(fast_sink: FastSink, settings: Settings) -> FastSink:
    use_server(settings, fast_sink.port)
    return fast_sink


def publish(page: Page, subscribers: int) -> None:
    for _ in range(subscribers):
        make_subscriber(page)
    make_incident(page)
    fan_out_waiting()


def send_all() -> int:
    """Send until nothing is due. Return the number of runs that settled something."""
    runs = 0
    while deliver_everything():
        runs += 1
    return runs


def assert_all_sent_once(sink: FastSink, mails: int) -> None:
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert sink.copies() == {1: mails}
    assert not ChannelState.objects.in_trouble().exists()


def test_a_greeting_that_takes_longer_than_a_run_delays_only_the_first_email(
    page: Page, sink: FastSink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not FULL:
        monkeypatch.setattr("statuspage.dispatcher.loop.deliver_due.__kwdefaults__", {"budget": 1.0, "stop": None})
    sink.set(greeting=6 if FULL else 2)
    publish(page, 200)
    began = time.monotonic()
    assert send_all() == 1
    say(capsys, f"late greeting: 200 mails in {time.monotonic() - began:.1f} s")
    assert_all_sent_once(sink, 200)


def test_connections_are_used_by_the_next_run(page: Page, sink: FastSink) -> None:
    for subscribers in range(1, 4):
        publish(page, 1)
        assert send_all() == 1, subscribers
    assert sink.stat()["connections"] == 1
    assert sink.stat()["mails"] == 1 + 2 + 3


def test_a_slow_server_gets_all_connections_soon(
    page: Page, sink: FastSink, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    sink.set(latency=0.3 if FULL else 0.12)
    publish(page, 200)
    send_all()
    stat = sink.stat()
    say(capsys, f"slow replies: {199 / (stat['last'] - stat['first']):.0f} mails/s")
    assert stat["connections"] == settings.SMTP_CONNECTIONS
    assert_all_sent_once(sink, 200)


@pytest.mark.parametrize("farewell", ["421", "silence"])
def test_connections_that_the_server_closed_while_idle_are_opened_again(
    page: Page, sink: FastSink, farewell: str
) -> None:
    publish(page, 1)
    send_all()
    sink.hang_up_idle(farewell=farewell == "421")
    publish(page, 1)
    assert send_all() == 1
    assert_all_sent_once(sink, 3)
    assert sink.stat()["connections"] == 2


def test_a_reused_connection_that_breaks_on_the_next_email_counts_no_attempt(page: Page, sink: FastSink) -> None:
    """As when the server closes it at the same moment."""
    for behavior in ("goodbye_each", "cut_at_mail_each"):
        Delivery.objects.all().delete()
        sink.reset()
        sink.set(**{behavior: 1})
        publish(page, 1)
        publish(page, 0)
        send_all()
        assert_all_sent_once(sink, Delivery.objects.count())
        sink.set(**{behavior: 0})


def test_greylisting_delays_each_mailbox_by_the_first_retry_and_pauses_nothing(
    page: Page, sink: FastSink, capsys: pytest.CaptureFixture[str]
) -> None:
    mails = sized(200, 5000)
    sink.set(greylist=1)
    publish(page, mails)
    send_all()
    assert set(Delivery.objects.values_list("state", "attempts")) == {("queued", 1)}
    assert not ChannelState.objects.exists()
    waits = Delivery.objects.annotate(wait=F("next_attempt_at") - F("created_at")).values_list("wait", flat=True)
    assert RETRY_AFTER[0] <= min(waits) <= max(waits) < RETRY_AFTER[0] + timedelta(seconds=60)
    Delivery.objects.update(next_attempt_at="2020-01-01T00:00:00Z")
    send_all()
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 2)}
    assert sink.copies() == {1: mails}
    say(capsys, f"greylisting: {mails} mails deferred once and then accepted, channel never paused")


def test_unused_connections_are_closed_and_no_thread_remains(
    page: Page, sink: FastSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_pool, "KEEP_SECONDS", 0.2)
    threads = set(threading.enumerate())
    publish(page, 20)
    send_all()
    wait_until(lambda: not sink.stat()["open"], "the connections are closed", seconds=10)
    wait_until(lambda: set(threading.enumerate()) <= threads, "the threads have ended", seconds=10)


def test_stopping_closes_the_kept_connections(page: Page, sink: FastSink) -> None:
    publish(page, 1)
    send_all()
    assert sink.stat()["open"] == 1
    KEPT_POOL.close()
    wait_until(lambda: not sink.stat()["open"], "the connection is closed", seconds=10)


def test_a_forked_process_does_not_use_the_connections_of_its_parent(page: Page, sink: FastSink) -> None:
    publish(page, 1)
    send_all()
    child = os.fork()
    if child == 0:
        os._exit(0 if KEPT_POOL._pool is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    publish(page, 0)
    send_all()
    assert sink.stat()["connections"] == 1
    assert_all_sent_once(sink, 2)
