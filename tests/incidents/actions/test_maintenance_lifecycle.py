from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.maintenances import maintenance_lifecycle as actions
from incidents.actions.maintenances.maintenance_lifecycle import MaintenanceOptions
from incidents.actions.update_input import UpdateInput
from incidents.errors import EditConflict
from incidents.models import AuditEntry, Component, Event, Incident, IncidentUpdate, MaintenanceReminder, Page
from tests.factories import ALICE, BOB, make_component, make_incident, make_maintenance, make_page, post

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def counts() -> tuple[int, ...]:
    written = (Incident, IncidentUpdate, MaintenanceReminder, AuditEntry, Event)
    return tuple(model._default_manager.count() for model in written)


def refused(field: str, act: Callable[[], object]) -> str:
    """The message beside `field`; nothing may have been written."""
    before = counts()
    with pytest.raises(ValidationError) as caught:
        act()
    assert counts() == before
    return " ".join(caught.value.message_dict[field])


def running(page: Page, **more: Any) -> Incident:
    maintenance = make_maintenance(page, **more)
    actions.start(maintenance, actor=ALICE)
    return maintenance


def status_of(component: Component) -> str:
    return Component.objects.get(pk=component.pk).status


def test_scheduling_writes_an_announcement_that_changes_no_component() -> None:
    page = make_page()
    api, web = make_component(page, "API"), make_component(page, "Web", status="degraded_performance")
    before = api.intervals.count() + web.intervals.count()
    maintenance = make_maintenance(page, components=[web, api])
    assert (maintenance.kind, maintenance.status, maintenance.impact) == ("maintenance", "scheduled", "maintenance")
    update = maintenance.updates.get()
    assert update.label == "Scheduled"
    assert {(row.component, row.old_status, row.new_status) for row in update.affected.all()} == {
        (api, "operational", "operational"),
        (web, "degraded_performance", "degraded_performance"),
    }
    assert api.intervals.count() + web.intervals.count() == before
    event = Event.objects.get(kind="maintenance.scheduled")
    assert (event.incident, event.update, event.notify) == (maintenance, update, True)
    assert AuditEntry.objects.get(verb="maintenance.scheduled").object_ref == maintenance.public_id


def test_a_backdated_announcement_names_what_a_component_had_then() -> None:
    page = make_page()
    api = make_component(page, start_date=(timezone.now() - timedelta(days=30)).date())
    begun = timezone.now() - timedelta(days=10)
    outage = make_incident(page, components={api: "major_outage"}, at=begun)
    incident_actions.resolve(
        outage, UpdateInput(body="Done.", at=begun + 4 * HOUR), restore={api: "operational"}, actor=ALICE
    )
    before = api.intervals.count()
    maintenance = make_maintenance(page, at=begun + HOUR, begins=begun + 2 * HOUR, components=[api])
    assert maintenance.updates.get().affected.get().new_status == "major_outage"
    assert api.intervals.count() == before


def test_a_component_keeps_its_worse_status_and_the_others_are_under_maintenance() -> None:
    page = make_page()
    api, web = make_component(page, "API"), make_component(page, "Web", status="partial_outage")
    running(page, components=[api, web])
    assert (status_of(api), status_of(web)) == ("under_maintenance", "partial_outage")


def test_components_go_back_at_the_end_and_only_those_under_maintenance() -> None:
    page = make_page()
    api, web = make_component(page, "API"), make_component(page, "Web")
    maintenance = running(page, components=[api, web])
    post(maintenance, "in_progress", components={web: "major_outage"})
    actions.complete(maintenance, actor=ALICE)
    assert (status_of(api), status_of(web)) == ("operational", "major_outage")
    assert maintenance.impact == "maintenance"
    assert maintenance.resolved_at is not None


def test_each_switch_is_its_own() -> None:
    page = make_page()
    api = make_component(page)
    maintenance = running(page, components=[api], set_components=False, notify_start=False)
    assert status_of(api) == "operational"
    assert not Event.objects.get(kind="maintenance.started").notify
    post(maintenance, "in_progress", components={api: "under_maintenance"})
    actions.change_options(
        maintenance, options=MaintenanceOptions(restore_components=False, notify_end=False), actor=ALICE
    )
    actions.complete(maintenance, actor=ALICE)
    assert status_of(api) == "under_maintenance"
    assert not Event.objects.get(kind="maintenance.completed").notify


def test_two_maintenances_hold_a_component_until_the_last_one_ends() -> None:
    page = make_page()
    api = make_component(page)
    first, second = running(page, components=[api]), running(page, components=[api])
    actions.complete(first, actor=ALICE)
    assert status_of(api) == "under_maintenance"
    actions.complete(second, actor=ALICE)
    assert status_of(api) == "operational"


def test_a_maintenance_and_an_incident_hold_a_component_against_each_other() -> None:
    page = make_page()
    api = make_component(page)
    maintenance = running(page, components=[api])
    outage = make_incident(page, components={api: "major_outage"})
    assert incident_actions.restorable_components(outage) == {api: "under_maintenance"}
    actions.complete(maintenance, actor=ALICE)
    assert status_of(api) == "major_outage"
    assert incident_actions.restorable_components(outage) == {api: "operational"}


def test_an_incident_on_a_component_that_a_maintenance_does_not_set_ends_green_or_as_it_is() -> None:
    page = make_page()
    api = make_component(page)
    running(page, components=[api], set_components=False)
    outage = make_incident(page, components={api: "major_outage"})
    assert incident_actions.restorable_components(outage) == {api: "operational"}


def test_it_is_verified_by_an_update_and_takes_no_step_back() -> None:
    maintenance = running(make_page())
    assert post(maintenance, "verifying", "We check.").label == "Verifying"
    assert Event.objects.get(kind="maintenance.updated").notify
    assert post(maintenance, "in_progress", "Not quite.").label == "In progress"
    assert "already begun" in refused("status", lambda: post(maintenance, "scheduled"))
    assert "already begun" in refused("status", lambda: actions.start(maintenance, actor=ALICE))


def test_before_it_begins_updates_can_be_posted_and_no_step_left_out() -> None:
    maintenance = make_maintenance(make_page())
    assert post(maintenance, "scheduled", "Still on.").label == "Update"
    assert "Start it first" in refused("status", lambda: post(maintenance, "in_progress"))
    assert "Cancel it" in refused("status", lambda: actions.complete(maintenance, actor=ALICE))
    assert "not a status of this maintenance" in refused("status", lambda: post(maintenance, "monitoring"))


def test_once_it_is_over_nothing_more_happens_to_it() -> None:
    maintenance = running(make_page())
    incident_actions.resolve(maintenance, UpdateInput(body="Done."), restore=None, actor=ALICE)
    assert Event.objects.filter(kind="maintenance.completed").count() == 1
    options = MaintenanceOptions()
    assert "is completed" in refused("status", lambda: actions.complete(maintenance, actor=ALICE))
    assert "is completed" in refused("status", lambda: actions.cancel(maintenance, actor=ALICE))
    assert "is over" in refused("status", lambda: actions.change_options(maintenance, options=options, actor=ALICE))
    assert "Schedule a new one" in refused(
        "status", lambda: incident_actions.reopen(maintenance, UpdateInput(body="Again."), actor=ALICE)
    )


def test_cancelling_completes_it_with_a_note_and_restores_what_it_had_set() -> None:
    page = make_page()
    api = make_component(page)
    upcoming, begun = make_maintenance(page), running(page, components=[api], restore_components=False)
    note = actions.cancel(upcoming, UpdateInput(body="The vendor postponed."), actor=BOB)
    assert (note.status, upcoming.status, upcoming.duration) == ("completed", "completed", None)
    assert upcoming.cancelled_at is not None
    assert "before its end" in actions.cancel(begun, actor=BOB).body
    assert status_of(api) == "operational"
    assert Event.objects.filter(kind="maintenance.cancelled", notify=True).count() == 2
    assert "was canceled" in refused("status", lambda: post(upcoming, "scheduled"))


def test_rescheduling_says_the_old_and_the_new_time_and_moves_the_reminders() -> None:
    page = make_page(time_zone="Europe/Berlin")
    begins = datetime(2026, 12, 1, 1, tzinfo=UTC)
    maintenance = make_maintenance(page, begins=begins, reminders=(60, 1440))
    update = actions.reschedule(
        maintenance,
        UpdateInput(body="Sorry."),
        scheduled_for=begins + 24 * HOUR,
        scheduled_until=begins + 26 * HOUR,
        actor=ALICE,
    )
    assert update.body == (
        "This maintenance has been rescheduled.\n\n"
        "New time: Dec 02, 2026, 02:00 – 04:00 CET (Dec 02, 2026, 01:00 – 03:00 UTC)\n"
        "Old time: Dec 01, 2026, 02:00 – 04:00 CET (Dec 01, 2026, 01:00 – 03:00 UTC)\n\nSorry."
    )
    assert [reminder.due_at for reminder in maintenance.reminders.all()] == [begins, begins + 23 * HOUR]
    maintenance.refresh_from_db()
    assert (maintenance.scheduled_for, maintenance.status) == (begins + 24 * HOUR, "scheduled")
    assert Event.objects.get(kind="maintenance.rescheduled").notify


def test_a_running_one_is_extended_or_shortened_and_its_start_stays() -> None:
    maintenance = running(make_page())
    start, end = maintenance.window
    longer = actions.reschedule(maintenance, scheduled_for=start, scheduled_until=end + HOUR, actor=ALICE)
    assert "has been extended" in longer.body
    shorter = actions.reschedule(maintenance, scheduled_for=start, scheduled_until=end, actor=ALICE)
    assert "has been shortened" in shorter.body

    def move(by: timedelta, until: datetime) -> Callable[[], object]:
        return lambda: actions.reschedule(maintenance, scheduled_for=start + by, scheduled_until=until, actor=ALICE)

    assert "Only its end can change" in refused("scheduled_for", move(HOUR, end + HOUR))
    assert "did not change" in refused("scheduled_for", move(timedelta(0), end))


def test_the_end_of_a_running_one_is_not_moved_into_the_past() -> None:
    begun = timezone.now() - 3 * HOUR
    maintenance = make_maintenance(make_page(), at=begun - HOUR, begins=begun, hours=5)
    actions.start(maintenance, UpdateInput(at=begun), actor=ALICE)
    past = begun + HOUR
    assert "Complete the maintenance" in refused(
        "scheduled_until",
        lambda: actions.reschedule(maintenance, scheduled_for=begun, scheduled_until=past, actor=ALICE),
    )


def test_a_start_after_the_planned_end_is_refused() -> None:
    begun = timezone.now() - 3 * HOUR
    maintenance = make_maintenance(make_page(), at=begun - HOUR, begins=begun, auto_start=False)
    assert "Move the end first" in refused("scheduled_until", lambda: actions.start(maintenance, actor=ALICE))


@pytest.mark.parametrize(
    ("field", "message", "fields"),
    [
        ("scheduled_until", "after the start time", {"hours": -1}),
        ("scheduled_until", "after the start time", {"hours": 0}),
        ("scheduled_until", "at most 90 days", {"hours": 24 * 90 + 1}),
        ("scheduled_for", "in the past", {"begins": timezone.now() - 2 * HOUR}),
        ("scheduled_for", "five years", {"begins": timezone.now() + timedelta(days=3000)}),
        ("scheduled_for", "Add a time zone", {"begins": datetime(2026, 12, 1)}),  # noqa: DTZ001 - the action must refuse a naive datetime
        ("title", "missing", {"title": " "}),
        ("body", "Enter a message", {"body": ""}),
        ("reminders", "1 minute to 30 days", {"reminders": (0,)}),
        ("reminders", "1 minute to 30 days", {"reminders": (43_201,)}),
        ("reminders", "at most 5 reminders", {"reminders": (1, 2, 3, 4, 5, 6)}),
        ("at", "in the future", {"at": timezone.now() + HOUR}),
    ],
)
def test_bad_input_is_refused_at_its_field(field: str, message: str, fields: dict[str, Any]) -> None:
    page = make_page()
    assert message in refused(field, lambda: make_maintenance(page, **fields))


def test_a_window_within_the_hour_that_comes_twice_has_its_real_length() -> None:
    first = datetime(2027, 10, 31, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    maintenance = make_maintenance(make_page(), begins=first, scheduled_until=first.replace(minute=15, fold=1))
    start, end = maintenance.window
    assert end - start == timedelta(minutes=45)


def test_components_are_of_this_page_and_not_archived() -> None:
    page, foreign = make_page(), make_component(make_page(name="Other", domain="other.example"))
    assert "no longer a component of this page" in refused(
        "components", lambda: make_maintenance(page, components=[foreign])
    )


def test_a_start_that_was_now_when_the_form_was_opened_is_taken() -> None:
    assert make_maintenance(make_page(), begins=timezone.now() - timedelta(minutes=4)).is_upcoming


def test_a_repeated_submit_makes_one_maintenance_and_one_update() -> None:
    page = make_page()
    first = make_maintenance(page, submission_key="k1")
    assert make_maintenance(page, submission_key="k1") == first
    start, end = first.window
    moved: dict[str, Any] = {"scheduled_for": start + HOUR, "scheduled_until": end + HOUR, "actor": ALICE}
    once = actions.reschedule(first, UpdateInput(submission_key="k2"), **moved)
    assert actions.reschedule(first, UpdateInput(submission_key="k2"), **moved) == once
    begun = actions.start(first, UpdateInput(submission_key="k3"), actor=ALICE)
    assert actions.start(first, UpdateInput(submission_key="k3"), actor=ALICE) == begun
    over = actions.cancel(first, UpdateInput(submission_key="k4"), actor=ALICE)
    assert actions.cancel(first, UpdateInput(submission_key="k4"), actor=ALICE) == over
    assert (Incident.objects.count(), IncidentUpdate.objects.count()) == (1, 4)


def test_the_second_of_two_people_hears_of_the_first() -> None:
    page = make_page()
    maintenance = make_maintenance(page)
    version = maintenance.version
    actions.change_options(maintenance, options=MaintenanceOptions(auto_start=False), actor=ALICE)
    for act in (actions.start, actions.cancel):
        with pytest.raises(EditConflict):
            act(maintenance, UpdateInput(expected_version=version), actor=BOB)
    start, end = maintenance.window
    with pytest.raises(EditConflict):
        actions.reschedule(
            maintenance,
            UpdateInput(expected_version=version),
            scheduled_for=start + HOUR,
            scheduled_until=end + HOUR,
            actor=BOB,
        )
    assert maintenance.updates.count() == 1


def test_options_are_kept_and_told_to_nobody() -> None:
    page = make_page()
    maintenance = make_maintenance(page, reminders=(60,))
    options = MaintenanceOptions(auto_complete=False, notify_end=False, reminders=(30, 1440))
    actions.change_options(maintenance, options=options, actor=ALICE)
    assert actions.options_of(Incident.objects.get()) == MaintenanceOptions(
        auto_complete=False, notify_end=False, reminders=(1440, 30)
    )
    assert not Event.objects.get(kind="maintenance.changed").notify


def test_its_components_can_be_changed_before_it_begins_and_not_after() -> None:
    page = make_page()
    api, web = make_component(page, "API"), make_component(page, "Web")
    maintenance = make_maintenance(page, components=[api])
    options = actions.options_of(maintenance)
    actions.change_options(maintenance, options=options, components=[web], actor=ALICE)
    assert Incident.objects.get().affected_components() == [web]
    actions.start(maintenance, actor=ALICE)
    assert "Post an update" in refused(
        "components",
        lambda: actions.change_options(maintenance, options=options, components=[api], actor=ALICE),
    )


def test_changing_its_components_forgets_no_change_of_status() -> None:
    page = make_page()
    api, web = make_component(page, "API"), make_component(page, "Web")
    maintenance = make_maintenance(page, components=[api])
    post(maintenance, "scheduled", "It is slow already.", components={api: "degraded_performance"})
    actions.change_options(maintenance, options=MaintenanceOptions(), components=[web], actor=ALICE)
    assert Incident.objects.get().affected_components() == [api, web]


def test_calendars_are_told_of_every_change_that_they_show() -> None:
    maintenance = make_maintenance(make_page())
    assert maintenance.calendar_sequence == 0
    start, end = maintenance.window
    actions.reschedule(maintenance, scheduled_for=start + HOUR, scheduled_until=end + HOUR, actor=ALICE)
    assert maintenance.calendar_sequence == 1
    incident_actions.edit_update(maintenance.updates.earliest("pk"), body="We upgrade to 16.", actor=ALICE)
    actions.cancel(maintenance, actor=ALICE)
    assert Incident.objects.get().calendar_sequence == 3


def test_overlaps_on_a_component_are_named_and_allowed() -> None:
    page = make_page()
    api, web = make_component(page, "API"), make_component(page, "Web")
    begins = timezone.now() + timedelta(days=1)
    first = make_maintenance(page, begins=begins, components=[api, web])
    make_maintenance(page, begins=begins, components=[web])
    actions.cancel(make_maintenance(page, begins=begins, components=[api]), actor=ALICE)
    (overlap,) = actions.overlaps(page, [api], begins + HOUR, begins + 5 * HOUR)
    assert (overlap.maintenance, overlap.components) == (first, [api])
    assert actions.overlaps(page, [api], begins + 2 * HOUR, begins + 5 * HOUR) == []
    assert actions.overlaps(page, [api], begins, begins + HOUR, other_than=first) == []


def test_an_ended_one_stands_in_the_history_where_it_began() -> None:
    page = make_page()
    announced = timezone.now() - timedelta(days=60)
    begun = timezone.now() - timedelta(days=2)
    maintenance = make_maintenance(page, at=announced, begins=begun)
    started_between = page.incidents.started_between
    assert not started_between(announced - HOUR, announced + HOUR).exists()
    actions.start(maintenance, UpdateInput(at=begun), actor=ALICE)
    actions.complete(maintenance, UpdateInput(at=begun + HOUR), actor=ALICE)
    assert started_between(begun - HOUR, begun + HOUR).get() == maintenance
    assert not started_between(announced - HOUR, announced + HOUR).exists()
    assert maintenance.duration == HOUR
