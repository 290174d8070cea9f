"""Scheduled maintenances through the API, with all their switches."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from incidents.models import Component, Event, Incident
from tests.api.programs import Program
from tests.factories import make_component, make_maintenance

SWITCHES = {
    "scheduled_auto_in_progress": True,
    "scheduled_auto_completed": True,
    "auto_transition_to_maintenance_state": True,
    "auto_transition_to_operational_state": True,
    "auto_transition_deliver_notifications_at_start": False,
    "auto_transition_deliver_notifications_at_end": False,
    "scheduled_remind_prior": True,
}


@pytest.fixture
def api(program: Program) -> Component:
    return make_component(program.page, "REST API")


def window(begins_in: float = 24, hours: float = 2) -> dict[str, str]:
    start = timezone.now().replace(microsecond=0) + timedelta(hours=begins_in)
    return {"scheduled_for": start.isoformat(), "scheduled_until": (start + timedelta(hours=hours)).isoformat()}


def planned(program: Program, **more: Any) -> Any:
    incident = {"name": "DB upgrade", "status": "scheduled", "body": "We upgrade.", **window(), **more}
    return program.post("/incidents", {"incident": incident})


def test_a_maintenance_is_scheduled_with_all_its_options(program: Program, api: Component) -> None:
    times = window()
    made = planned(program, component_ids=[api.public_id], **times, **SWITCHES)
    assert {name: made[name] for name in SWITCHES} == SWITCHES
    assert (made["status"], made["impact"]) == ("scheduled", "maintenance")
    for name, value in times.items():
        assert datetime.fromisoformat(made[name]) == datetime.fromisoformat(value)
        assert made[name].endswith(".000Z")
    assert [row["id"] for row in made["components"]] == [api.public_id]
    maintenance = Incident.objects.get()
    assert (maintenance.auto_start, maintenance.notify_start, maintenance.notify_end) == (True, False, False)
    assert [reminder.minutes_before for reminder in maintenance.reminders.all()] == [60]
    assert Event.objects.get(kind="maintenance.scheduled").notify


def test_nothing_is_automatic_unless_the_client_says_so(program: Program) -> None:
    made = planned(program)
    off = [name for name in SWITCHES if "deliver" not in name]
    assert not any(made[name] for name in off)
    assert made["auto_transition_deliver_notifications_at_start"]


def test_the_old_name_of_an_option_is_accepted(program: Program) -> None:
    assert planned(program, scheduled_auto_transition=True)["scheduled_auto_in_progress"]


def test_a_window_makes_a_maintenance_even_without_a_status(program: Program) -> None:
    made = program.post("/incidents", {"incident": {"name": "DB upgrade", **window()}})
    assert made["status"] == "scheduled"


@pytest.mark.parametrize("missing", ["scheduled_for", "scheduled_until"])
def test_a_maintenance_needs_start_and_end(program: Program, missing: str) -> None:
    incident = {"name": "DB upgrade", "status": "scheduled", **window()}
    del incident[missing]
    assert missing in program.post("/incidents", {"incident": incident}, code=422)["error"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scheduled_for": "2024-09-17T01:00:00"}, "scheduled_for"),
        ({"scheduled_for": "9999-12-31T23:59:59-14:00"}, "scheduled_for"),
        ({"scheduled_for": "soon"}, "scheduled_for"),
        ({"scheduled_until": "2020-01-01T00:00:00Z"}, "scheduled_until"),
        ({"status": "completed"}, "status"),
    ],
)
def test_an_invalid_schedule_is_rejected(program: Program, changes: dict[str, str], field: str) -> None:
    incident = {"name": "DB upgrade", "status": "scheduled", **window()} | changes
    assert list(program.post("/incidents", {"incident": incident}, code=422)["error"]) == [field]
    assert not Incident.objects.exists()


def test_rescheduling_posts_an_update_with_both_times(program: Program) -> None:
    made = planned(program)
    changed = program.patch(f"/incidents/{made['id']}", {"incident": {**window(48), "body": "Not ready."}})
    assert len(changed["incident_updates"]) == 2
    assert "Not ready." in changed["incident_updates"][0]["body"]
    assert changed["scheduled_for"] > made["scheduled_for"]
    again = {name: changed[name] for name in ("scheduled_for", "scheduled_until")}
    same = program.patch(f"/incidents/{made['id']}", {"incident": again})
    assert len(same["incident_updates"]) == 2


def test_options_change_without_an_update(program: Program, api: Component) -> None:
    made = planned(program)
    body = SWITCHES | {"component_ids": [api.public_id]}
    changed = program.patch(f"/incidents/{made['id']}", {"incident": body})
    assert {name: changed[name] for name in SWITCHES} == SWITCHES
    assert [row["id"] for row in changed["components"]] == [api.public_id]
    assert len(changed["incident_updates"]) == 1
    assert not Event.objects.get(kind="maintenance.changed").notify
    program.patch(f"/incidents/{made['id']}", {"incident": {"scheduled_remind_prior": False}})
    assert not Incident.objects.get().reminders.exists()


def test_it_is_started_verified_and_completed(program: Program, api: Component) -> None:
    made = planned(program, component_ids=[api.public_id], **SWITCHES)
    path = f"/incidents/{made['id']}"
    assert program.patch(path, {"incident": {"status": "in_progress"}})["status"] == "in_progress"
    api.refresh_from_db()
    assert api.status == "under_maintenance"
    assert program.patch(path, {"incident": {"status": "verifying", "body": "Looks good."}})["status"] == "verifying"
    done = program.patch(path, {"incident": {"status": "completed"}})
    assert (done["status"], len(done["incident_updates"])) == ("completed", 4)
    api.refresh_from_db()
    assert api.status == "operational"
    kinds = ["maintenance.scheduled", "maintenance.started", "maintenance.updated", "maintenance.completed"]
    assert list(Event.objects.filter(incident__public_id=made["id"]).values_list("kind", flat=True)) == kinds


def test_component_statuses_of_the_request_override_automatic_ones(program: Program, api: Component) -> None:
    made = planned(program, component_ids=[api.public_id], auto_transition_to_maintenance_state=True)
    body = {"status": "in_progress", "components": {api.public_id: "major_outage"}}
    program.patch(f"/incidents/{made['id']}", {"incident": body})
    api.refresh_from_db()
    assert api.status == "major_outage"


def test_completing_before_the_start_cancels_a_maintenance(program: Program) -> None:
    made = planned(program)
    done = program.patch(f"/incidents/{made['id']}", {"incident": {"status": "completed"}})
    assert done["status"] == "completed"
    assert Incident.objects.get().cancelled_at
    assert Event.objects.filter(kind="maintenance.cancelled").exists()


def test_a_skipped_status_is_rejected(program: Program) -> None:
    maintenance = make_maintenance(program.page)
    error = program.patch(f"/incidents/{maintenance.public_id}", {"incident": {"status": "verifying"}}, code=422)
    assert "in_progress" in error["error"]["status"][0]
    error = program.patch(f"/incidents/{maintenance.public_id}", {"incident": {"status": "resolved"}}, code=422)
    assert "status" in error["error"]


def test_the_name_alone_changes_without_an_update(program: Program) -> None:
    made = planned(program)
    changed = program.patch(f"/incidents/{made['id']}", {"incident": {"name": "Renamed"}})
    assert (changed["name"], len(changed["incident_updates"])) == ("Renamed", 1)
