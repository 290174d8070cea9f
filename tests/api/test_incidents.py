"""Incidents through the API: what a request means, and that it goes through the same verbs as the console's."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from incidents.models import AuditEntry, Component, Event, Incident, Page
from tests.api.programs import Program
from tests.factories import make_component, make_group, make_incident, make_page, make_resolved

KEYS = [
    "id",
    "components",
    "created_at",
    "impact",
    "impact_override",
    "incident_updates",
    "incident_impacts",
    "metadata",
    "monitoring_at",
    "name",
    "page_id",
    "postmortem_body",
    "postmortem_body_last_updated_at",
    "postmortem_ignored",
    "postmortem_notified_subscribers",
    "postmortem_notified_twitter",
    "postmortem_published_at",
    "resolved_at",
    "scheduled_auto_completed",
    "scheduled_auto_in_progress",
    "scheduled_for",
    "auto_transition_deliver_notifications_at_end",
    "auto_transition_deliver_notifications_at_start",
    "auto_transition_to_maintenance_state",
    "auto_transition_to_operational_state",
    "scheduled_remind_prior",
    "scheduled_reminded_at",
    "scheduled_until",
    "shortlink",
    "started_at",
    "status",
    "updated_at",
    "reminder_intervals",
]
UPDATE_KEYS = [
    "id",
    "incident_id",
    "affected_components",
    "body",
    "created_at",
    "custom_tweet",
    "deliver_notifications",
    "display_at",
    "status",
    "tweet_id",
    "twitter_updated_at",
    "updated_at",
    "wants_twitter_update",
]


@pytest.fixture
def api(page: Page) -> Component:
    return make_component(page, "REST API", group=make_group(page, "Public"))


def newest(incident: Any) -> Any:
    return incident["incident_updates"][0]


def test_an_incident_is_opened_with_components_and_subscribers_are_notified(program: Program, api: Component) -> None:
    body = {"name": "Boom", "status": "identified", "body": "We know.", "components": {api.public_id: "partial_outage"}}
    made = program.post("/incidents", {"incident": body})
    assert list(made) == KEYS
    assert (made["name"], made["status"], made["impact"], made["impact_override"]) == (
        "Boom",
        "identified",
        "major",
        None,
    )
    assert made["page_id"] == program.page.public_id
    (update,) = made["incident_updates"]
    assert list(update) == UPDATE_KEYS
    assert (update["body"], update["deliver_notifications"], update["incident_id"]) == ("We know.", True, made["id"])
    assert update["affected_components"] == [
        {
            "code": api.public_id,
            "name": "Public - REST API",
            "old_status": "operational",
            "new_status": "partial_outage",
        }
    ]
    assert [row["id"] for row in made["components"]] == [api.public_id]
    event = Event.objects.get(kind="incident.opened")
    assert event.notify
    assert program.get(f"/incidents/{made['id']}") == made


def test_the_audit_log_names_the_token(program: Program) -> None:
    program.post("/incidents", {"incident": {"name": "Boom"}})
    entry = AuditEntry.objects.get(verb="incident.opened")
    assert (entry.actor_kind, entry.actor_ref, entry.actor_label) == (
        "token",
        program.token.public_id,
        "Deploy script",
    )


def test_no_notification_is_sent_if_the_client_says_so(program: Program) -> None:
    made = program.post("/incidents", {"incident": {"name": "Boom", "deliver_notifications": False}})
    assert not newest(made)["deliver_notifications"]
    assert not Event.objects.get(kind="incident.opened").notify


def test_an_update_without_a_body_gets_a_standard_text(program: Program) -> None:
    made = program.post("/incidents", {"incident": {"name": "Boom"}})
    assert newest(made)["body"] == "We are investigating this issue."
    moved = program.patch(f"/incidents/{made['id']}", {"incident": {"status": "monitoring"}})
    assert newest(moved)["body"] == "A fix has been implemented and we are monitoring the results."


def test_message_is_an_old_name_of_body(program: Program) -> None:
    made = program.post("/incidents", {"incident": {"name": "Boom", "message": "Old words."}})
    assert newest(made)["body"] == "Old words."


def test_a_patch_with_a_status_posts_an_update(program: Program, api: Component) -> None:
    incident = make_incident(program.page, components={api: "major_outage"})
    body = {"status": "monitoring", "body": "Better.", "components": {api.public_id: "degraded_performance"}}
    changed = program.patch(f"/incidents/{incident.public_id}", {"incident": body})
    assert [update["status"] for update in changed["incident_updates"]] == ["monitoring", "investigating"]
    assert newest(changed)["affected_components"][0]["new_status"] == "degraded_performance"
    assert changed["monitoring_at"]
    api.refresh_from_db()
    assert api.status == "degraded_performance"


def test_put_does_what_patch_does(program: Program) -> None:
    incident = make_incident(program.page)
    changed = program.put(f"/incidents/{incident.public_id}", {"incident": {"body": "Still looking."}})
    assert newest(changed)["body"] == "Still looking."
    assert len(changed["incident_updates"]) == 2


def test_an_empty_status_names_a_component_without_changing_it(program: Program, api: Component) -> None:
    made = program.post("/incidents", {"incident": {"name": "Boom", "components": {api.public_id: ""}}})
    affected = newest(made)["affected_components"][0]
    assert (affected["old_status"], affected["new_status"], made["impact"]) == ("operational", "operational", "none")


@pytest.mark.parametrize("shape", ["component_ids", "components"])
def test_a_list_of_ids_names_components(program: Program, api: Component, shape: str) -> None:
    made = program.post("/incidents", {"incident": {"name": "Boom", shape: [api.public_id]}})
    assert [row["id"] for row in made["components"]] == [api.public_id]


def test_ids_alone_add_components_without_an_update(program: Program, api: Component) -> None:
    incident = make_incident(program.page)
    changed = program.patch(f"/incidents/{incident.public_id}", {"incident": {"component_ids": [api.public_id]}})
    assert [row["id"] for row in changed["components"]] == [api.public_id]
    assert len(changed["incident_updates"]) == 1
    again = program.patch(f"/incidents/{incident.public_id}", {"incident": {"component_ids": [api.public_id]}})
    assert again == changed


def test_resolving_keeps_component_statuses_unless_the_client_sends_them(program: Program, api: Component) -> None:
    incident = make_incident(program.page, components={api: "major_outage"})
    resolved = program.patch(f"/incidents/{incident.public_id}", {"incident": {"status": "resolved"}})
    assert resolved["resolved_at"]
    api.refresh_from_db()
    assert api.status == "major_outage"
    other = make_incident(program.page, components={api: "major_outage"})
    body = {"status": "resolved", "components": {api.public_id: "operational"}}
    program.patch(f"/incidents/{other.public_id}", {"incident": body})
    api.refresh_from_db()
    assert api.status == "operational"


def test_another_status_reopens_a_resolved_incident(program: Program) -> None:
    incident = make_resolved(program.page)
    changed = program.patch(f"/incidents/{incident.public_id}", {"incident": {"status": "identified"}})
    assert (changed["status"], changed["resolved_at"]) == ("identified", None)
    assert Event.objects.filter(kind="incident.reopened").exists()


def test_a_text_for_a_resolved_incident_is_rejected(program: Program) -> None:
    incident = make_resolved(program.page)
    error = program.patch(f"/incidents/{incident.public_id}", {"incident": {"body": "By the way"}}, code=422)
    assert "resolved" in error["error"]["status"][0]
    assert incident.updates.count() == 2


def test_attributes_change_without_an_update_or_a_notification(program: Program) -> None:
    incident = make_incident(program.page)
    body = {
        "name": "Renamed",
        "impact_override": "critical",
        "metadata": {"jira": {"issue_id": "X-1"}},
        "reminder_intervals": "[1, 5, 7]",
    }
    changed = program.patch(f"/incidents/{incident.public_id}", {"incident": body})
    assert {key: changed[key] for key in body} == body
    assert (changed["impact"], len(changed["incident_updates"])) == ("critical", 1)
    assert not Event.objects.get(kind="incident.changed").notify
    back = program.patch(f"/incidents/{incident.public_id}", {"incident": {"impact_override": None}})
    assert (back["impact"], back["impact_override"]) == ("none", None)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("metadata", {"jira": "X-1"}, "must be an object"),
        ("reminder_intervals", "[5, 1]", "hours from 1 to 24"),
        ("reminder_intervals", "25", "hours from 1 to 24"),
        ("name", "two\nlines", "single line"),
        ("name", "x" * 256, "at most 255 characters"),
        ("body", "x" * 25_001, "at most 25000 characters"),
        ("status", "scheduled", "not a status of this incident"),
        ("status", "postmortem", "Input should be"),
        ("impact_override", "huge", "Input should be"),
        ("components", {"nosuch": "operational"}, "is not a component of this page"),
        ("component_ids", ["nosuch"], "is not a component of this page"),
    ],
)
def test_invalid_input_names_the_field_and_changes_nothing(
    program: Program, field: str, value: Any, message: str
) -> None:
    incident = make_incident(program.page)
    before = program.get(f"/incidents/{incident.public_id}")
    data = {"name": "New name", "body": "New text", field: value}
    error = program.patch(f"/incidents/{incident.public_id}", {"incident": data}, code=422)
    (named,) = [name for name in error["error"] if name == field or name.startswith(f"{field}.")]
    assert message in " ".join(error["error"][named])
    assert field in error["message"]
    assert program.get(f"/incidents/{incident.public_id}") == before


def test_a_name_is_required(program: Program) -> None:
    error = program.post("/incidents", {"incident": {"status": "identified"}}, code=422)
    assert error == {"error": {"name": ["The title is missing."]}, "message": "name: The title is missing."}
    error = program.post("/incidents", {"name": "No envelope"}, code=422)
    assert error["error"] == {"incident": ["is missing"]}


def test_a_past_incident_is_backfilled_without_notifications(program: Program) -> None:
    made = program.post("/incidents", {"incident": {"name": "Old", "backfilled": True, "backfill_date": "2024-01-31"}})
    assert (made["status"], made["resolved_at"]) == ("resolved", "2024-01-31T12:00:00.000Z")
    assert newest(made)["display_at"] == "2024-01-31T12:00:00.000Z"
    assert not Event.objects.get(kind="incident.opened").notify


def test_a_backfilled_incident_cannot_have_components(program: Program, api: Component) -> None:
    body = {"name": "Old", "backfilled": True, "backfill_date": "2024-01-31", "component_ids": [api.public_id]}
    assert "components" in program.post("/incidents", {"incident": body}, code=422)["error"]


@pytest.mark.parametrize("day", [None, "2999-01-01", "soon"])
def test_a_backfilled_incident_needs_a_past_date(program: Program, day: str | None) -> None:
    body = {"name": "Old", "backfilled": True, "backfill_date": day}
    assert "backfill_date" in program.post("/incidents", {"incident": body}, code=422)["error"]
    assert not Incident.objects.exists()


def test_today_can_be_backfilled_at_any_hour(program: Program) -> None:
    today = timezone.now().date().isoformat()
    made = program.post("/incidents", {"incident": {"name": "Old", "backfilled": True, "backfill_date": today}})
    assert made["resolved_at"].startswith(today)


def test_a_deleted_incident_is_returned_once_and_then_not_found(program: Program) -> None:
    incident = make_incident(program.page)
    gone = program.delete(f"/incidents/{incident.public_id}")
    assert gone["id"] == incident.public_id
    assert program.request("GET", f"/incidents/{incident.public_id}").status_code == 404
    assert program.get("/incidents") == []
    incident.refresh_from_db()
    assert incident.hidden_at


def test_lists_are_bare_arrays_of_the_requested_incidents(program: Program) -> None:
    from tests.factories import make_maintenance

    open_one = make_incident(program.page, title="Search is slow")
    make_resolved(program.page, title="Mail is late")
    upcoming = make_maintenance(program.page, title="Patch day")
    ids = {"": 3, "/unresolved": 1, "/scheduled": 1, "/upcoming": 1, "/active_maintenance": 0}
    for path, count in ids.items():
        assert len(program.get(f"/incidents{path}")) == count, path
    assert [row["id"] for row in program.get("/incidents/unresolved")] == [open_one.public_id]
    assert [row["id"] for row in program.get("/incidents/upcoming")] == [upcoming.public_id]
    assert [row["name"] for row in program.get("/incidents?q=SEARCH")] == ["Search is slow"]


@pytest.mark.parametrize("size", ["limit", "per_page"])
def test_lists_are_paged(program: Program, size: str) -> None:
    for number in range(5):
        make_incident(program.page, title=f"Number {number}")
    names = [row["name"] for page in (1, 2, 3) for row in program.get(f"/incidents?{size}=2&page={page}")]
    assert names == [f"Number {number}" for number in (4, 3, 2, 1, 0)]
    assert program.get(f"/incidents?{size}=2&page=4") == []
    assert len(program.get(f"/incidents?{size}=100000&page=0")) == 5


def test_editing_a_published_update_keeps_a_revision(program: Program) -> None:
    incident = make_incident(program.page)
    update = incident.updates.get()
    earlier = timezone.now() - timedelta(hours=1)
    body = {"body": "What we meant.", "display_at": earlier.isoformat(), "deliver_notifications": False}
    path = f"/incidents/{incident.public_id}/incident_updates/{update.public_id}"
    changed = program.patch(path, {"incident_update": body})
    assert list(changed) == UPDATE_KEYS
    assert changed["body"] == "What we meant."
    update.refresh_from_db()
    assert (update.display_at, update.revisions.count()) == (earlier, 2)


def test_an_update_of_another_incident_is_not_found(program: Program) -> None:
    update = make_incident(program.page).updates.get()
    other = make_incident(program.page)
    path = f"/incidents/{other.public_id}/incident_updates/{update.public_id}"
    program.patch(path, {"incident_update": {"body": "Mine?"}}, code=404)


def test_incidents_of_another_page_are_not_found(program: Program) -> None:
    elsewhere = make_incident(make_page(name="Other"))
    for method in ("GET", "PATCH", "DELETE"):
        response = program.request(method, f"/incidents/{elsewhere.public_id}", {"incident": {"body": "Mine?"}})
        assert response.status_code == 404
    assert elsewhere.updates.count() == 1


def test_the_queries_of_a_list_do_not_grow_with_its_length(
    program: Program, api: Component, django_assert_max_num_queries: Any
) -> None:
    for _ in range(10):
        make_incident(program.page, components={api: "partial_outage"})
    program.get("/incidents")
    with django_assert_max_num_queries(10):
        assert len(program.get("/incidents")) == 10
