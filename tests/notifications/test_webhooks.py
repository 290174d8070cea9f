"""Webhooks against a real receiver: what they are told, how it is signed, and what their answers lead to."""

import base64
import hashlib
import hmac
import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from incidents.actions.components import component_lifecycle as component_actions
from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident, Page
from statuspage.dispatcher.loop import drain
from statuspage.notifications import endpoint_messages
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery, DeliveryKind, DeliveryState
from statuspage.notifications.resending import replay
from statuspage.notifications.transports.http_base import RETRY_AFTER
from statuspage.notifications.worker import deliver_due
from statuspage.subscribers import endpoints
from statuspage.subscribers.models import Subscriber, SubscriberState
from tests.factories import (
    ALICE,
    make_component,
    make_endpoint,
    make_group,
    make_incident,
    make_maintenance,
    make_subscriber,
    post,
)
from tests.notifications.mailbox import mails_to
from tests.receivers import ReceivedRequest, Receiver, Reply
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]


@pytest.fixture
def hook(page: Page, receiver: Receiver) -> Subscriber:
    return make_endpoint(page, receiver.url(), email="ops@example.org")


@pytest.fixture
def incident(page: Page, hook: Subscriber) -> Incident:
    """Opened, and fanned out."""
    incident = make_incident(page, title="API outage")
    fan_out_waiting()
    return incident


def only() -> Delivery:
    return Delivery.objects.get(kind=DeliveryKind.EVENT)


def make_due() -> None:
    Delivery.objects.update(next_attempt_at=datetime.fromisoformat("2020-01-01T00:00:00Z"))
    Subscriber.objects.update(rests_until=None)


def due_in(delivery: Delivery) -> timedelta:
    rows = Delivery.objects.filter(pk=delivery.pk).annotate(wait=F("next_attempt_at") - F("created_at"))
    wait: timedelta = rows.values_list("wait", flat=True).get()
    return wait


def shape(value: Any) -> Any:
    """Keys and the kinds of their values, for comparing with a capture."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "null" if value is None else type(value).__name__


# Real captures (contract section 4.1), from Zulip's tests.
INCIDENT_UPDATE = """
{"meta":{"unsubscribe":"http://mycompany24.statuspage.io/?unsubscribe=zjcdb6727vmj","documentation":"http://doers.statuspage.io/customer-notifications/webhooks/","generated_at":"2017-12-26T07:37:21.000Z"},
 "page":{"id":"jb7j80lkgqvb","status_indicator":"none","status_description":"All Systems Operational"},
 "incident":{"name":"Database query delays","status":"resolved","created_at":"2017-12-26T07:32:00.507Z","updated_at":"2017-12-26T07:37:20.837Z","monitoring_at":null,"resolved_at":"2017-12-26T07:37:20.785Z",
  "impact":"none","shortlink":"http://stspg.io/646947c1e","postmortem_ignored":false,"postmortem_body":null,"postmortem_body_last_updated_at":null,"postmortem_published_at":null,"postmortem_notified_subscribers":false,"postmortem_notified_twitter":false,
  "backfilled":false,"scheduled_for":null,"scheduled_until":null,"scheduled_remind_prior":false,"scheduled_reminded_at":null,"impact_override":null,"scheduled_auto_in_progress":false,"scheduled_auto_completed":false,
  "id":"z3lct0r596n4","page_id":"jb7j80lkgqvb",
  "incident_updates":[{"status":"resolved","body":"The database issue is resolved.","created_at":"2017-12-26T07:37:20.785Z","wants_twitter_update":false,"twitter_updated_at":null,"updated_at":"2017-12-26T07:37:20.785Z","display_at":"2017-12-26T07:37:20.785Z",
    "affected_components":[{"code":"zvdm6f7gf76j","name":"Management Portal (example)","old_status":"operational","new_status":"operational"}],"custom_tweet":null,"deliver_notifications":true,"id":"cdwfdrjlp53y","incident_id":"z3lct0r596n4"}],
  "components":[{"status":"operational","name":"Management Portal (example)","created_at":"2017-12-25T18:44:27.901Z","updated_at":"2017-12-25T18:44:27.901Z","position":2,"description":null,"showcase":true,"id":"zvdm6f7gf76j","page_id":"jb7j80lkgqvb","group_id":null}]}}
"""  # noqa: E501 - as captured
COMPONENT_UPDATE = """
{"meta":{"unsubscribe":"http://mycompany24.statuspage.io/?unsubscribe=zjcdb6727vmj","documentation":"http://doers.statuspage.io/customer-notifications/webhooks/","generated_at":"2017-12-26T07:59:09.498Z"},
 "page":{"id":"jb7j80lkgqvb","status_indicator":"maintenance","status_description":"Service Under Maintenance"},
 "component":{"status":"under_maintenance","name":"Database component","created_at":"2017-12-26T07:57:28.743Z","updated_at":"2017-12-26T07:59:09.371Z","position":3,"description":null,"showcase":true,"id":"sqm6pl84wzjc","page_id":"jb7j80lkgqvb","group_id":null},
 "component_update":{"old_status":"operational","new_status":"under_maintenance","created_at":"2017-12-26T07:59:09.379Z","component_type":"Component","id":"nd963wv4j30b","component_id":"sqm6pl84wzjc"}}
"""  # noqa: E501 - as captured


def test_an_incident_is_told_in_statuspages_shape(page: Page, hook: Subscriber, receiver: Receiver) -> None:
    portal = make_component(page, "Management Portal")
    incident = make_incident(page, title="Database query delays", components={portal: "operational"}, notify=False)
    incident_actions.resolve(incident, UpdateInput(body="It is over."), restore={portal: "operational"}, actor=ALICE)
    drain()
    payload = receiver.requests[-1].json
    assert shape(payload) == shape(json.loads(INCIDENT_UPDATE))
    assert list(payload["incident"]) == list(json.loads(INCIDENT_UPDATE)["incident"])
    assert payload["page"] == {
        "id": page.public_id,
        "status_indicator": "none",
        "status_description": "All Systems Operational",
    }
    assert payload["incident"]["shortlink"].endswith(f"/incidents/{incident.public_id}")
    assert (payload["incident"]["status"], payload["incident"]["impact"]) == ("resolved", "none")
    assert [update["body"] for update in payload["incident"]["incident_updates"]] == ["It is over.", "We are looking."]
    assert payload["meta"]["unsubscribe"].startswith("http")


def test_a_maintenance_says_whether_it_starts_and_ends_by_itself_and_whether_it_is_reminded_of(
    page: Page, hook: Subscriber, receiver: Receiver
) -> None:
    plan = ("scheduled_remind_prior", "scheduled_reminded_at", "scheduled_auto_in_progress", "scheduled_auto_completed")
    by_hand = make_maintenance(page, auto_start=False, auto_complete=False, reminders=())
    drain()
    half = make_maintenance(page, auto_start=True, auto_complete=False, reminders=(60, 1440))
    at = datetime.fromisoformat("2026-03-01T09:41:06.512Z")
    half.reminders.filter(minutes_before=1440).update(sent_at=at)
    drain()
    payload = {received.json["incident"]["id"]: received.json["incident"] for received in receiver.requests}
    assert [payload[by_hand.public_id][key] for key in plan] == [False, None, False, False]
    assert [payload[half.public_id][key] for key in plan] == [True, "2026-03-01T09:41:06.512Z", True, False]
    assert list(payload[half.public_id]) == list(json.loads(INCIDENT_UPDATE)["incident"])


def test_a_component_that_is_set_by_hand_is_told_in_statuspages_shape(
    page: Page, hook: Subscriber, receiver: Receiver
) -> None:
    group = make_group(page, "Storage")
    component = make_component(page, "Database", group=group)
    component_actions.set_status(component, "under_maintenance", actor=ALICE)
    component_actions.set_status(component, "operational", actor=ALICE)
    drain()
    first, second = (received.json for received in receiver.requests)
    captured = json.loads(COMPONENT_UPDATE)
    captured["component"]["group_id"] = group.public_id
    assert shape(first) == shape(captured)
    assert (first["component"]["status"], second["component"]["status"]) == ("under_maintenance", "operational")
    assert first["component_update"]["old_status"] == "operational"
    assert first["component_update"]["component_id"] == component.public_id
    assert first["component_update"]["id"] != second["component_update"]["id"]


def test_what_is_told_late_is_told_as_it_was(incident: Incident, receiver: Receiver) -> None:
    post(incident, "identified", "Found it.")
    drain()
    first, second = (received.json["incident"] for received in receiver.requests)
    assert (first["status"], first["incident_updates"][0]["body"]) == ("investigating", "We are looking.")
    assert (second["status"], second["incident_updates"][0]["body"]) == ("identified", "Found it.")


def test_a_postmortem_is_told_with_its_text(incident: Incident, receiver: Receiver) -> None:
    incident_actions.resolve(incident, UpdateInput(body="Done."), restore=None, actor=ALICE)
    postmortem_lifecycle.publish(incident, body="## What happened", actor=ALICE)
    drain()
    payload = receiver.requests[-1].json["incident"]
    assert (payload["status"], payload["postmortem_body"]) == ("postmortem", "## What happened")
    assert payload["incident_updates"][0]["status"] == "postmortem"
    assert payload["postmortem_published_at"].endswith("Z")


def test_a_component_that_was_archived_meanwhile_is_not_told(page: Page, hook: Subscriber, receiver: Receiver) -> None:
    component = component_actions.set_status(make_component(page), "major_outage", actor=ALICE)
    fan_out_waiting()
    component_actions.set_archived(component, archived=True, actor=ALICE)
    drain()
    assert receiver.requests == []
    assert "archived" in only().last_error


def test_mail_readers_are_not_told_of_a_component_alone(page: Page, hook: Subscriber) -> None:
    make_subscriber(page)
    make_component(page, status="major_outage")
    fan_out_waiting()
    assert only().subscriber == hook


def verified(received: ReceivedRequest, secret: str) -> bool:
    """As a receiver does it, by the Standard Webhooks specification."""
    signed = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode() + received.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return expected in received.headers["webhook-signature"].split(" ")


def test_a_message_is_signed_with_the_secret(incident: Incident, hook: Subscriber, receiver: Receiver) -> None:
    drain()
    (received,) = receiver.requests
    assert verified(received, hook.secret)
    assert not verified(received, endpoints.new_secret())
    assert abs(time.time() - int(received.headers["webhook-timestamp"])) < 30
    assert received.headers["content-type"] == "application/json"


def test_the_id_stays_the_same_at_every_attempt_and_replay(
    incident: Incident, hook: Subscriber, receiver: Receiver
) -> None:
    receiver.reply = Reply(500)
    deliver_due("webhook")
    receiver.reply = Reply(200)
    make_due()
    deliver_due("webhook")
    assert replay(only(), actor=ALICE)
    deliver_due("webhook")
    post(incident)
    drain()
    ids = [received.headers["webhook-id"] for received in receiver.requests]
    assert len(set(ids[:3])) == 1
    assert ids[3] != ids[0]


def test_for_a_day_after_a_rotation_both_secrets_sign(incident: Incident, hook: Subscriber, receiver: Receiver) -> None:
    old = endpoints.show_secret(hook)
    new = endpoints.rotate_secret(hook)
    deliver_due("webhook")
    assert verified(receiver.requests[0], old)
    assert verified(receiver.requests[0], new)
    Subscriber.objects.update(old_secret_until=timezone.now() - timedelta(seconds=1))
    post(incident)
    drain()
    assert not verified(receiver.requests[1], old)
    assert verified(receiver.requests[1], new)


def test_a_secret_is_shown_once(hook: Subscriber) -> None:
    assert endpoints.show_secret(hook).startswith("whsec_")
    assert endpoints.show_secret(hook) == ""


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_success(incident: Incident, receiver: Receiver, status: int) -> None:
    receiver.reply = Reply(status)
    deliver_due("webhook")
    assert (only().state, only().attempts) == (DeliveryState.SENT, 1)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(302, "redirects are not followed"), (400, "400 no"), (404, "404 no"), (500, "500 no"), (199, "199")],
)
def test_anything_else_is_tried_again(incident: Incident, receiver: Receiver, status: int, expected: str) -> None:
    receiver.reply = Reply(status, b"no", {"Location": "http://127.0.0.1/"})
    deliver_due("webhook")
    assert (only().state, only().attempts) == (DeliveryState.QUEUED, 1)
    assert expected in only().last_error


def test_attempts_follow_the_table_with_jitter_and_then_the_endpoint_is_switched_off(
    incident: Incident, hook: Subscriber, receiver: Receiver, sink: SmtpSink
) -> None:
    receiver.reply = Reply(500, b"oh\nno")
    for attempt, wait in enumerate(RETRY_AFTER, start=1):
        deliver_due("webhook")
        delivery = only()
        assert (delivery.state, delivery.attempts, delivery.last_error) == ("queued", attempt, "500 oh no")
        assert wait <= due_in(delivery) < wait * 1.2 + timedelta(seconds=30)
        Delivery.objects.update(created_at=delivery.created_at)
        make_due()
    deliver_due("webhook")
    hook.refresh_from_db()
    assert len(receiver.requests) == 10
    assert only().last_error == "Failed after 10 attempts. Last response: 500 oh no"
    assert (hook.state, hook.paused_reason) == (SubscriberState.PAUSED, "It failed 10 times: 500 oh no")
    drain()
    (mail,) = mails_to(sink, "ops@example.org")
    assert mail["Subject"] == "[Acme] Your webhook was disabled"
    assert hook.address in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_the_table_takes_more_than_three_days() -> None:
    assert timedelta(days=3) < sum(RETRY_AFTER, timedelta()) < timedelta(days=4)
    assert RETRY_AFTER[:3] == (timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30))


def test_410_stops_at_once(incident: Incident, hook: Subscriber, receiver: Receiver, sink: SmtpSink) -> None:
    receiver.reply = Reply(410, b"moved away")
    deliver_due("webhook")
    hook.refresh_from_db()
    assert (only().state, only().last_error) == (DeliveryState.FAILED, "410 moved away")
    assert (hook.state, hook.paused_reason) == (SubscriberState.PAUSED, "410 moved away")
    drain()
    assert len(mails_to(sink, "ops@example.org")) == 1


@pytest.mark.parametrize(
    ("status", "header", "least", "most"),
    [
        (429, "120", 120, 150),
        (503, "120", 120, 150),
        (503, "999999", 3600, 3630),
        (429, "1", 5, 40),
        (429, "soon", 5, 40),
        (500, "120", 5, 40),
    ],
)
def test_retry_after_is_honoured_up_to_an_hour_for_429_and_503(
    incident: Incident, receiver: Receiver, status: int, header: str, least: int, most: int
) -> None:
    receiver.reply = Reply(status, headers={"Retry-After": header})
    deliver_due("webhook")
    assert timedelta(seconds=least) <= due_in(only()) < timedelta(seconds=most)


def test_retry_after_may_be_a_date(incident: Incident, receiver: Receiver) -> None:
    at = timezone.now() + timedelta(seconds=300)
    receiver.reply = Reply(503, headers={"Retry-After": f"{at:%a, %d %b %Y %H:%M:%S} GMT"})
    deliver_due("webhook")
    assert timedelta(seconds=280) < due_in(only()) < timedelta(seconds=330)


def test_after_a_failure_nothing_else_is_tried_until_the_endpoint_has_rested(
    page: Page, incident: Incident, hook: Subscriber, receiver: Receiver
) -> None:
    receiver.reply = Reply(500)
    deliver_due("webhook")
    make_incident(page, title="Another")
    drain()
    assert len(receiver.requests) == 1
    receiver.reply = Reply(200)
    Subscriber.objects.update(rests_until=timezone.now() - timedelta(seconds=1))
    drain()
    assert [received.json["incident"]["name"] for received in receiver.requests[1:]] == ["Another", "API outage"]
    hook.refresh_from_db()
    assert (hook.failures, hook.rests_until) == (0, None)
    assert not Delivery.objects.queued().exists()


def test_a_private_address_is_refused_at_the_moment_of_sending(
    incident: Incident, receiver: Receiver, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW = []
    deliver_due("webhook")
    assert receiver.requests == []
    assert "is not a public address" in only().last_error


def test_an_endpoint_that_left_meanwhile_is_not_called(
    incident: Incident, hook: Subscriber, receiver: Receiver
) -> None:
    hook.unsubscribe()
    drain()
    assert receiver.requests == []
    assert only().state == DeliveryState.CANCELED


def test_what_staff_does_to_an_endpoint_stands_in_the_audit_log_without_its_address(
    page: Page, hook: Subscriber, receiver: Receiver
) -> None:
    endpoint_messages.send_test(hook, actor=ALICE)
    endpoints.pause(hook, actor=ALICE)
    endpoint_messages.resume(hook, actor=ALICE)
    endpoints.remove(hook, actor=ALICE)
    entries = page.audit_entries.filter(object_ref=hook.public_id)
    verbs = [f"endpoint.{done}" for done in ("tested", "paused", "resumed", "removed")]
    assert [entry.verb for entry in entries.order_by("pk")] == verbs
    assert not any("127.0.0.1" in str(entry.details) for entry in entries)
    hook.refresh_from_db()
    assert hook.secret == ""


def test_a_test_message_is_tried_once_and_switches_nothing_off(hook: Subscriber, receiver: Receiver) -> None:
    receiver.reply = Reply(410, b"gone")
    endpoint_messages.send_test(hook, actor=ALICE)
    drain()
    hook.refresh_from_db()
    payload = receiver.requests[0].json
    assert payload["incident"]["name"] == "Test message"
    assert shape(payload).keys() == shape(json.loads(INCIDENT_UPDATE)).keys()
    assert payload["incident"].keys() == json.loads(INCIDENT_UPDATE)["incident"].keys()
    assert verified(receiver.requests[0], hook.secret)
    assert Delivery.objects.get().last_error == "410 gone"
    assert hook.is_active


def test_nothing_is_sent_that_no_secret_signs(incident: Incident, hook: Subscriber, receiver: Receiver) -> None:
    Subscriber.objects.filter(pk=hook.pk).update(secret="")
    drain()
    assert receiver.requests == []
    assert (only().state, only().last_error) == (DeliveryState.FAILED, "The webhook has no secret for the signature.")
