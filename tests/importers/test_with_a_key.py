"""Moving away from a Statuspage with its owner's key: what visitors cannot see comes along."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from incidents.models import Incident, IncidentTemplate, Metric, MetricsProvider
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Subscriber
from tests.importers.running import run_keyed, run_public
from tests.importers.statuspages import FakeStatuspage, component, group, incident, outage, stamp, update

pytestmark = pytest.mark.django_db

BEGAN = datetime(2024, 9, 12, 10, 1, 11, 209000, tzinfo=UTC)


def subscriber(code: str, email: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": code,
        "page_id": "kctbh9vrtdwd",
        "skip_confirmation_notification": False,
        "mode": "email",
        "email": email,
        "endpoint": None,
        "phone_number": None,
        "phone_country": None,
        "display_phone_number": None,
        "obfuscated_channel_name": None,
        "workspace_name": None,
        "quarantined_at": None,
        "purge_at": None,
        "components": [],
        "page_access_user_id": None,
        "created_at": "2023-02-01T10:00:00Z",
        **more,
    }


def test_everything_is_read_a_hundred_at_a_time(theirs: FakeStatuspage) -> None:
    theirs.incidents = [outage(f"a{number:03}5scd1jv1x"[:12], BEGAN - timedelta(hours=number)) for number in range(250)]
    ran = run_keyed(theirs)
    assert (ran.code, Incident.objects.count()) == (0, 250)
    assert sum("/incidents?" in path for path in theirs.requested_paths) == 3
    ran = run_keyed(theirs)
    assert ran.row("incidents") == {"read": 250, "created": 0, "changed": 0, "unchanged": 250, "skipped": 0}


def test_subscribers_keep_their_state_and_what_they_chose(theirs: FakeStatuspage) -> None:
    theirs.components += [component("br0l2tvcx85d", "Actions"), group("g1g1g1g1g1g1", "Core", [])]
    theirs.subscribers = {
        "active": [
            subscriber("s1s1s1s1s1s1", "Ada@Example.com", components=["8l4ygp009s5s", "br0l2tvcx85d"]),
            subscriber("s2s2s2s2s2s2", "bob@example.com", components=["br0l2tvcx85d"]),
            subscriber("s3s3s3s3s3s3", "ops@example.com", mode="webhook", endpoint="https://hooks.example.com/a"),
            subscriber("s4s4s4s4s4s4", mode="sms", phone_number="15112345678", display_phone_number="+49 15112345678"),
        ],
        "unconfirmed": [subscriber("s5s5s5s5s5s5", "new@example.com")],
        "quarantined": [subscriber("s6s6s6s6s6s6", "gone@example.com", quarantined_at="2024-01-01T00:00:00Z")],
        "unsubscribed": [subscriber("s7s7s7s7s7s7", "left@example.com")],
    }
    ran = run_keyed(theirs)
    assert (ran.code, ran.row("subscribers")["created"]) == (0, 7), ran
    subscribers = {person.public_id[:2]: person for person in Subscriber.objects.all()}
    assert {code: (person.channel, person.state) for code, person in subscribers.items()} == {
        "s1": ("email", "active"),
        "s2": ("email", "active"),
        "s3": ("webhook", "active"),
        "s4": ("sms", "active"),
        "s5": ("email", "pending"),
        "s6": ("email", "paused"),
        "s7": ("email", "unsubscribed"),
    }
    assert (subscribers["s1"].email, subscribers["s1"].whole_page) == ("ada@example.com", True)
    assert [str(interest) for interest in subscribers["s2"].interests.all()] == ["Actions"]
    assert not subscribers["s2"].whole_page
    assert subscribers["s3"].secret.startswith("whsec_")
    assert subscribers["s4"].endpoint == "+4915112345678"
    assert subscribers["s1"].created_at == subscribers["s1"].confirmed_at == datetime(2023, 2, 1, 10, tzinfo=UTC)
    # Nobody is written to, and those who have not confirmed yet are not forgotten tomorrow.
    assert not Delivery.objects.exists()
    assert mail.outbox == []
    Subscriber.objects.expired().delete()
    assert Subscriber.objects.count() == 7


def test_those_who_confirmed_or_left_there_since_are_followed_and_those_who_left_here_stay_away(
    theirs: FakeStatuspage,
) -> None:
    first, second, third = (subscriber(f"{c}1s1s1s1s1s1", f"{c}@example.com") for c in "abc")
    theirs.subscribers = {"active": [first, second], "unconfirmed": [third]}
    assert run_keyed(theirs).code == 0
    Subscriber.objects.get(email="a@example.com").unsubscribe()
    theirs.subscribers = {"active": [first, third], "unsubscribed": [second]}
    assert run_keyed(theirs).row("subscribers") == {
        "read": 3,
        "created": 0,
        "changed": 2,
        "unchanged": 1,
        "skipped": 0,
    }
    states = dict(Subscriber.objects.values_list("email", "state"))
    assert states == {"a@example.com": "unsubscribed", "b@example.com": "unsubscribed", "c@example.com": "active"}


def test_a_server_that_ignores_the_state_makes_nobody_active_who_is_not(theirs: FakeStatuspage) -> None:
    everybody = [subscriber("s5s5s5s5s5s5", "new@example.com")]
    theirs.subscribers = dict.fromkeys(("active", "unconfirmed", "quarantined"), everybody)
    assert run_keyed(theirs).code == 0
    assert [subscriber.state for subscriber in Subscriber.objects.all()] == ["pending"]


def test_subscribers_that_cannot_move_are_named_by_their_code_and_counted(theirs: FakeStatuspage) -> None:
    theirs.subscribers = {
        "active": [
            subscriber("s1s1s1s1s1s1", mode="slack", workspace_name="Acme"),
            subscriber("s2s2s2s2s2s2", mode="webhook", endpoint="http://169.254.169.254/hook"),
            subscriber("s3s3s3s3s3s3", mode="sms", phone_number="5551234", phone_country="us"),
            subscriber("s4s4s4s4s4s4", "not an address"),
        ]
    }
    ran = run_keyed(theirs)
    assert (ran.code, ran.row("subscribers")["skipped"], Subscriber.objects.count()) == (3, 4, 0)
    for code, why in {
        "s1s1s1s1s1s1": "Statuspage's integration with slack",
        "s2s2s2s2s2s2": "is not a public address",
        "s3s3s3s3s3s3": "Enter a phone number",
        "s4s4s4s4s4s4": "Enter a complete email address",
    }.items():
        (line,) = (line for line in ran.output.splitlines() if code in line)
        assert why in line
    assert "not an address" not in ran.output


def test_drafts_of_postmortems_and_the_switches_of_maintenances_come_along(theirs: FakeStatuspage) -> None:
    document = outage("hfdn5scd1jv1", BEGAN) | {
        "postmortem_body": None,
        "postmortem_body_last_updated_at": "2024-09-15T09:00:00Z",
        "postmortem_published_at": None,
    }
    theirs.postmortems = {"hfdn5scd1jv1": {"body": None, "body_draft": "Redis moved.", "published_at": None}}
    begins = timezone.now() + timedelta(days=3)
    code = "chkt3cr0jf7b"
    planned = incident(
        code,
        "DB upgrade",
        [update("m1", code, "scheduled", "2024-09-14T04:57:15.693Z", "We will upgrade.")],
        scheduled_for=stamp(begins),
        scheduled_until=stamp(begins + timedelta(hours=1)),
        scheduled_auto_in_progress=True,
        scheduled_auto_completed=False,
        auto_transition_to_maintenance_state=False,
        auto_transition_deliver_notifications_at_end=False,
        scheduled_remind_prior=True,
        impact="maintenance",
    )
    theirs.incidents = [planned, document]
    assert run_keyed(theirs).code == 0
    postmortem = Incident.objects.get(public_id="hfdn5scd1jv1").postmortem
    assert (postmortem.draft, postmortem.body, postmortem.is_published) == ("Redis moved.", "", False)
    imported = Incident.objects.get(public_id=code)
    assert (imported.auto_start, imported.auto_complete, imported.set_components, imported.notify_end) == (
        True,
        False,
        False,
        False,
    )
    assert [reminder.minutes_before for reminder in imported.reminders.all()] == [60]
    # The public page, read later, knows nothing of switches, and leaves them alone.
    for theirs_row in theirs.incidents:
        for key in [key for key in theirs_row if key.startswith(("scheduled_auto", "auto_", "postmortem"))]:
            del theirs_row[key]
    assert run_public(theirs).code == 0
    imported.refresh_from_db()
    assert (imported.auto_start, imported.auto_complete) == (True, False)


def test_what_was_read_as_a_visitor_is_completed_with_the_key(theirs: FakeStatuspage) -> None:
    document = outage("hfdn5scd1jv1", BEGAN)
    theirs.incidents = [document]
    assert run_public(theirs).code == 0
    seconds = {key: value[:19] + "Z" for key, value in document.items() if key.endswith("_at") and value}
    theirs.incidents = [
        document | seconds | {"postmortem_body": "Redis moved.", "postmortem_published_at": "2024-09-14T09:00:00Z"}
    ]
    ran = run_keyed(theirs)
    assert (ran.code, ran.row("incidents")["changed"]) == (0, 1)
    incident = Incident.objects.get()
    assert incident.postmortem.body == "Redis moved."
    # To the millisecond, as the public API told it; the other one is to the second.
    assert incident.created_at == BEGAN
    assert run_keyed(theirs).row("incidents")["unchanged"] == 1


def test_templates_come_along(theirs: FakeStatuspage) -> None:
    template = {
        "id": "t1t1t1t1t1t1",
        "name": "Slow API",
        "title": "The API is slow",
        "body": "We are<br>looking.",
        "group_id": None,
        "update_status": "identified",
        "should_tweet": False,
        "should_send_notifications": False,
        "components": [component("8l4ygp009s5s", "API")],
    }
    theirs.lists = {
        "incident_templates": [template, {"id": 7, "name": ["odd"]}],
    }
    ran = run_keyed(theirs)
    assert (ran.code, ran.row("templates")["skipped"]) == (3, 1)
    imported = IncidentTemplate.objects.get()
    assert (imported.public_id, imported.name, imported.title) == ("t1t1t1t1t1t1", "Slow API", "The API is slow")
    assert (imported.body, imported.update_status) == ("We are\nlooking.", "identified")
    assert not imported.should_send_notifications
    assert [component.name for component in imported.components.all()] == ["API"]
    assert run_keyed(theirs).row("templates")["unchanged"] == 1


def metric(code: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": code,
        "metrics_provider_id": "kvsg7w0dbdsq",
        "metric_identifier": "web.response",
        "name": name,
        "display": True,
        "tooltip_description": "At the edge.",
        "backfilled": False,
        "y_axis_min": 0,
        "y_axis_max": 2.5,
        "y_axis_hidden": False,
        "suffix": "ms",
        "decimal_places": 1,
        "most_recent_data_at": "2024-09-17T01:00:00.000Z",
        "created_at": "2019-01-31T20:05:05.370Z",
        "updated_at": "2020-01-31T20:05:05.370Z",
        **more,
    }


def test_metrics_come_along_with_their_ids_and_their_numbers_are_said_to_be_left(theirs: FakeStatuspage) -> None:
    hidden = metric("m2m2m2m2m2m2", "Queue", display=False, y_axis_min=None, y_axis_max=None, suffix=None)
    theirs.lists = {"metrics": [metric("m1m1m1m1m1m1", "Latency"), hidden]}
    ran = run_keyed(theirs)
    assert (ran.code, ran.row("metrics")["created"]) == (0, 2)
    assert "not imported: the points of 2 metrics" in ran.output
    latency, queue = Metric.objects.in_order()
    assert (latency.public_id, latency.name, latency.metric_identifier) == ("m1m1m1m1m1m1", "Latency", "web.response")
    assert (latency.y_axis_min, latency.y_axis_max, latency.suffix, latency.decimal_places) == (0, 2.5, "ms", 1)
    assert (latency.description, latency.display) == ("At the edge.", True)
    assert latency.created_at == datetime(2019, 1, 31, 20, 5, 5, 370_000, tzinfo=UTC)
    assert (queue.display, queue.y_axis_min, queue.y_axis_max, queue.suffix) == (False, None, None, "")
    assert latency.provider == queue.provider == MetricsProvider.objects.get(public_id="kvsg7w0dbdsq")
    assert run_keyed(theirs).row("metrics")["unchanged"] == 2


def test_a_dry_run_brings_no_metric(theirs: FakeStatuspage) -> None:
    theirs.lists = {"metrics": [metric("m1m1m1m1m1m1", "Latency")]}
    assert run_keyed(theirs, "--dry-run").row("metrics")["created"] == 1
    assert not Metric.objects.exists()
    assert not MetricsProvider.objects.exists()


def test_a_metric_that_was_changed_here_stays_so(theirs: FakeStatuspage) -> None:
    theirs.lists = {"metrics": [metric("m1m1m1m1m1m1", "Latency")]}
    run_keyed(theirs)
    Metric.objects.update(name="Ours")
    ran = run_keyed(theirs)
    assert (ran.code, ran.row("metrics")["unchanged"]) == (3, 1)
    assert "it was changed here and stays so" in ran.output
    assert Metric.objects.get().name == "Ours"


def test_odd_metrics_are_named_and_the_rest_comes_over(theirs: FakeStatuspage) -> None:
    rows: list[Any] = [
        metric("m1m1m1m1m1m1", "Upside down", y_axis_min=5, y_axis_max=5),
        metric("m2m2m2m2m2m2", "Endless", y_axis_max="NaN", decimal_places=10**9),
        metric("m3m3m3m3m3m3", "No time", created_at="yesterday"),
        "no object",
    ]
    theirs.lists = {"metrics": rows}
    ran = run_keyed(theirs)
    assert (ran.code, ran.row("metrics")["created"], ran.row("metrics")["skipped"]) == (3, 2, 2)
    assert "its axis was left to the chart" in ran.output
    upside, endless = Metric.objects.in_order()
    assert (upside.y_axis_min, upside.y_axis_max) == (None, None)
    assert (endless.y_axis_max, endless.decimal_places) == (None, 10)


def test_a_wrong_key_stops_the_import_and_says_so(theirs: FakeStatuspage) -> None:
    ran = run_keyed(theirs, "--api-key", "wrong")
    assert ran.code == 1
    assert "check the key" in ran.error


def test_a_key_is_not_carried_to_another_host(theirs: FakeStatuspage) -> None:
    from tests.receivers import Reply

    theirs.broken = {"/v1/pages/kctbh9vrtdwd": Reply(302, headers={"Location": "https://elsewhere.example/v1"})}
    ran = run_keyed(theirs)
    assert ran.code == 1
    assert "redirects to elsewhere.example" in ran.error
