"""What becomes of a delivery: sent, tried again, failed, cancelled, or kept for later by a fault of ours."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db.models import F
from pytest_django import Settings

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Event, Incident, Page
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import ChannelState, Delivery, DeliveryState
from statuspage.notifications.transports.base import RETRY_AFTER
from statuspage.notifications.worker import deliver_due
from statuspage.subscribers.models import Subscriber, SubscriberState
from tests.factories import ALICE, make_incident, make_resolved, make_subscriber, post
from tests.notifications.mailbox import ContentRefusingSink, DisconnectingSink, SenderRefusingSink, parsed, use_server
from tests.servers import SmtpSink, free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def subscriber(page: Page) -> Subscriber:
    return make_subscriber(page, "ada@example.com")


@pytest.fixture
def incident(page: Page, subscriber: Subscriber) -> Incident:
    """Opened, and fanned out to Ada."""
    incident = make_incident(page, title="API outage")
    fan_out_waiting()
    return incident


def served_by(sink: SmtpSink, settings: Settings) -> Iterator[SmtpSink]:
    use_server(settings, sink.controller.port)
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def sender_refusing_sink(settings: Settings) -> Iterator[SmtpSink]:
    yield from served_by(SenderRefusingSink(), settings)


@pytest.fixture
def content_refusing_sink(settings: Settings) -> Iterator[SmtpSink]:
    yield from served_by(ContentRefusingSink(), settings)


@pytest.fixture
def disconnecting_sink(settings: Settings) -> Iterator[SmtpSink]:
    yield from served_by(DisconnectingSink(), settings)


def only() -> Delivery:
    return Delivery.objects.get()


def due_in(delivery: Delivery) -> timedelta:
    """How long it waits, told by the database alone."""
    rows = Delivery.objects.filter(pk=delivery.pk).annotate(wait=F("next_attempt_at") - F("created_at"))
    wait: timedelta = rows.values_list("wait", flat=True).get()
    return wait


def make_due() -> None:
    Delivery.objects.update(next_attempt_at=datetime.fromisoformat("2020-01-01T00:00:00Z"))
    ChannelState.objects.update(paused_until=None)


def test_a_mail_that_was_accepted_is_marked_as_sent(incident: Incident, sink: SmtpSink) -> None:
    assert deliver_due("email") == 1
    assert len(sink.to("ada@example.com")) == 1
    delivery = only()
    assert (delivery.state, delivery.attempts, delivery.lease_until, delivery.last_error) == ("sent", 1, None, "")
    assert delivery.sent_at is not None


def test_what_was_sent_is_not_sent_again(incident: Incident, sink: SmtpSink) -> None:
    deliver_due("email")
    assert deliver_due("email") == 0
    assert len(sink.emails) == 1


def test_the_mails_of_an_incident_arrive_in_its_order(incident: Incident, sink: SmtpSink) -> None:
    post(incident, "identified")
    post(incident, "monitoring")
    incident_actions.resolve(incident, UpdateInput(body="Done."), restore=None, actor=ALICE)
    fan_out_waiting()
    while deliver_due("email"):
        pass
    subjects = [str(parsed(email.raw)["Subject"]) for email in sink.emails]
    texts = ("Investigating", "Identified", "Monitoring", "Resolved")
    assert subjects == [f"[Acme] {word}: API outage" for word in texts]


def test_a_temporary_refusal_is_tried_again_by_the_table(incident: Incident, sink: SmtpSink) -> None:
    sink.refuse["ada@example.com"] = "451 4.7.1 Greylisted, come back later"
    for attempt, wait in enumerate(RETRY_AFTER, start=1):
        deliver_due("email")
        delivery = only()
        assert (delivery.state, delivery.attempts) == ("queued", attempt)
        assert delivery.last_error == "451 4.7.1 Greylisted, come back later"
        assert wait <= due_in(delivery) < wait + timedelta(seconds=30)
        assert deliver_due("email") == 0
        make_due()
        Delivery.objects.update(created_at=delivery.created_at)
    deliver_due("email")
    delivery = only()
    assert delivery.state == DeliveryState.FAILED
    assert delivery.last_error == "Failed after 11 attempts. Last response: 451 4.7.1 Greylisted, come back later"


def test_a_delivery_fails_after_a_day_and_does_not_pause_the_subscriber(
    incident: Incident, subscriber: Subscriber, sink: SmtpSink
) -> None:
    assert timedelta(hours=20) < sum(RETRY_AFTER, timedelta()) < timedelta(hours=30)
    sink.refuse["ada@example.com"] = "451 later"
    Delivery.objects.update(attempts=len(RETRY_AFTER))
    deliver_due("email")
    subscriber.refresh_from_db()
    assert only().state == DeliveryState.FAILED
    assert subscriber.is_active


def test_a_rejected_mailbox_fails_immediately_and_pauses_the_subscriber(
    incident: Incident, subscriber: Subscriber, sink: SmtpSink
) -> None:
    sink.refuse["ada@example.com"] = "550 5.1.1 No such user here"
    deliver_due("email")
    subscriber.refresh_from_db()
    assert (only().state, only().last_error) == ("failed", "550 5.1.1 No such user here")
    assert (subscriber.state, subscriber.paused_reason) == (SubscriberState.PAUSED, "550 5.1.1 No such user here")


def test_one_refused_mailbox_does_not_hold_up_the_others(page: Page, sink: SmtpSink) -> None:
    for name in ("ada", "bob", "eve"):
        make_subscriber(page, f"{name}@example.com")
    sink.refuse["bob@example.com"] = "550 5.1.1 No such user here"
    make_incident(page)
    fan_out_waiting()
    deliver_due("email")
    assert [email.recipient for email in sink.emails] == ["ada@example.com", "eve@example.com"]


@pytest.mark.parametrize("answer", ["554 5.7.1 <ada@example.com>: Relay access denied", "530 5.7.0 Log in first"])
def test_a_server_that_rejects_the_client_fails_no_delivery(
    incident: Incident, subscriber: Subscriber, sink: SmtpSink, answer: str
) -> None:
    sink.refuse["ada@example.com"] = answer
    deliver_due("email")
    subscriber.refresh_from_db()
    assert subscriber.is_active
    assert (only().state, only().attempts) == ("queued", 0)
    assert answer in ChannelState.objects.get().last_error


def assert_only_the_channel_pauses(subscriber: Subscriber, error: str) -> None:
    subscriber.refresh_from_db()
    delivery, state = only(), ChannelState.objects.get()
    assert (delivery.state, delivery.attempts, delivery.lease_until, delivery.lease_token) == ("queued", 0, None, "")
    assert subscriber.is_active
    assert error in state.last_error
    assert state.since is not None
    assert ChannelState.objects.is_paused("email")


def test_a_refused_connection_pauses_the_channel(
    incident: Incident, subscriber: Subscriber, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    deliver_due("email")
    assert_only_the_channel_pauses(subscriber, "Cannot connect to the mail server")


def test_a_refused_log_in_pauses_the_channel(
    incident: Incident, subscriber: Subscriber, sink: SmtpSink, settings: Settings
) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "candor", "wrong"
    deliver_due("email")
    assert_only_the_channel_pauses(subscriber, "Cannot connect to the mail server")


def test_a_refused_sender_pauses_the_channel(
    incident: Incident, subscriber: Subscriber, sender_refusing_sink: SmtpSink
) -> None:
    deliver_due("email")
    assert_only_the_channel_pauses(subscriber, "553 5.7.1 Sender address rejected")


def test_a_folder_that_cannot_be_written_pauses_the_channel(
    incident: Incident, subscriber: Subscriber, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "statuspage.notifications.transports.eml_files.EmlBackend"
    settings.MAIL_DIR = "/dev/null/mail"
    deliver_due("email")
    assert_only_the_channel_pauses(subscriber, "/dev/null/mail")


def test_a_paused_channel_sends_nothing_and_recovers_later(
    incident: Incident, settings: Settings, smtp_sink: SmtpSink
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    deliver_due("email")
    use_server(settings, smtp_sink.controller.port)
    assert deliver_due("email") == 0
    make_due()
    assert deliver_due("email") == 1
    state = ChannelState.objects.get()
    assert (state.failures, state.since) == (0, None)
    assert "Cannot connect" in state.last_error


def test_consecutive_failures_pause_for_longer_and_keep_the_start_time(incident: Incident) -> None:
    lengths = [ChannelState.objects.pause("email", f"fault {n}").total_seconds() for n in range(8)]
    assert lengths == [5, 15, 30, 60, 120, 300, 300, 300]
    state = ChannelState.objects.get()
    assert state.last_error == "fault 7"
    assert state.since is not None
    assert state.paused_until is not None
    assert timedelta(seconds=299) < state.paused_until - state.since < timedelta(seconds=310)


def test_a_rejected_message_is_retried_and_pauses_nobody(
    incident: Incident, subscriber: Subscriber, content_refusing_sink: SmtpSink
) -> None:
    deliver_due("email")
    subscriber.refresh_from_db()
    assert (only().state, only().last_error) == ("queued", "554 5.7.1 Looks like spam")
    assert subscriber.is_active


def test_occasional_disconnects_lose_nothing(page: Page, disconnecting_sink: SmtpSink) -> None:
    for _ in range(9):
        make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    deliver_due("email")
    assert len({email.recipient for email in disconnecting_sink.emails}) == len(disconnecting_sink.emails) == 9
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert not ChannelState.objects.in_trouble().exists()


def test_a_message_interrupted_on_a_new_connection_is_retried_later(
    incident: Incident, subscriber: Subscriber, disconnecting_sink: DisconnectingSink
) -> None:
    disconnecting_sink.cut = 1
    deliver_due("email")
    assert (only().state, only().attempts) == ("queued", 1)
    assert "closed the connection" in only().last_error
    assert not ChannelState.objects.exists()


def test_a_server_that_disconnects_during_every_message_pauses_the_channel(
    page: Page, disconnecting_sink: DisconnectingSink
) -> None:
    for _ in range(6):
        make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    disconnecting_sink.cut = 1000
    deliver_due("email")
    assert ChannelState.objects.is_paused("email")
    # Three were handed over and not answered: each may have arrived, so that counts as an attempt.
    assert Delivery.objects.filter(attempts=0, lease_until=None).count() == 3
    assert Delivery.objects.filter(attempts=1, in_doubt=1, lease_until=None).count() == 3


def test_a_subscriber_who_left_meanwhile_is_not_told(
    incident: Incident, subscriber: Subscriber, sink: SmtpSink
) -> None:
    subscriber.unsubscribe()
    deliver_due("email")
    assert (only().state, only().last_error) == ("cancelled", "The subscriber unsubscribed before this was sent.")
    assert sink.emails == []


def test_a_subscriber_who_was_paused_meanwhile_is_not_told(
    incident: Incident, subscriber: Subscriber, sink: SmtpSink
) -> None:
    subscriber.pause("550 5.1.1 No such user")
    deliver_due("email")
    assert only().last_error == "The subscriber was paused: 550 5.1.1 No such user"
    assert sink.emails == []


def test_a_hidden_incident_is_not_told(incident: Incident, sink: SmtpSink) -> None:
    incident_actions.hide(incident, actor=ALICE, reason="Wrong page")
    deliver_due("email")
    assert only().state == "cancelled"
    assert only().last_error == "The incident was hidden before this notification was sent."
    assert sink.emails == []


def test_a_postmortem_that_was_taken_back_is_not_told(page: Page, subscriber: Subscriber, sink: SmtpSink) -> None:
    incident = make_resolved(page, notify=False)
    Event.objects.update(notify=False)
    postmortem = postmortem_lifecycle.publish(incident, body="What happened.", actor=ALICE)
    fan_out_waiting()
    postmortem_lifecycle.retract(postmortem, actor=ALICE)
    deliver_due("email")
    assert only().state == "cancelled"
    assert only().last_error == "The postmortem was unpublished before this notification was sent."
    assert sink.emails == []


def test_stopping_releases_claimed_deliveries(incident: Incident, sink: SmtpSink) -> None:
    stop = threading.Event()
    stop.set()
    assert deliver_due("email", stop=stop) == 0
    assert deliver_due("email", budget=-1) == 0
    assert (only().lease_until, sink.emails) == (None, [])


def test_a_mail_that_cannot_be_built_does_not_hold_up_the_others(
    page: Page, subscriber: Subscriber, sink: SmtpSink
) -> None:
    make_subscriber(page, "bob@example.com")
    Subscriber.objects.filter(pk=subscriber.pk).update(email="ada@" + "x" * 80 + ".example\r\nBcc: eve@example.com")
    make_incident(page)
    fan_out_waiting()
    deliver_due("email")
    assert [email.recipient for email in sink.emails] == ["bob@example.com"]
    broken = Delivery.objects.get(subscriber=subscriber)
    assert (broken.state, broken.attempts) == ("queued", 1)
    assert "Candor could not send this" in broken.last_error
