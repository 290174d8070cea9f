"""What happens by itself, with the clock moved by hand; and after the dispatcher stood still when it should have."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import travel

from incidents.actions.components import component_lifecycle as component_actions
from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.maintenances import maintenance_lifecycle as actions
from incidents.actions.scheduled_steps import run_due
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, Event, Incident, MaintenanceReminder, Page
from tests.factories import (
    ALICE,
    make_component,
    make_incident,
    make_maintenance,
    make_page,
    make_series,
    post,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ANNOUNCED = datetime(2026, 10, 20, 9, tzinfo=UTC)
BEGINS = datetime(2026, 10, 21, 2, tzinfo=UTC)
ENDS = BEGINS + 2 * HOUR


def tick(at: datetime) -> int:
    """What the dispatcher does at `at`."""
    with travel(at, tick=False):
        return run_due(at)


def at(moment: datetime, act: Callable[[], Incident]) -> Incident:
    with travel(moment, tick=False):
        return act()


def announced(page: Page, *components: Component, **more: object) -> Incident:
    fields = {"begins": BEGINS, "components": list(components)} | more
    return at(ANNOUNCED, lambda: make_maintenance(page, **fields))  # type: ignore[arg-type]


def component_of(page: Page, name: str = "API") -> Component:
    with travel(ANNOUNCED - HOUR, tick=False):
        return make_component(page, name)


def history(component: Component) -> list[tuple[str, datetime]]:
    rows = list(component.intervals.as_corrected().order_by("started_at"))
    assert all(previous.ended_at == other.started_at for previous, other in pairwise(rows))
    return [(row.status, row.started_at) for row in rows[1:]]


def timeline(maintenance: Incident) -> list[tuple[str, datetime]]:
    return [(update.label, update.display_at) for update in maintenance.updates.order_by("pk")]


def kinds(maintenance: Incident) -> list[str]:
    return list(maintenance.events.order_by("pk").values_list("kind", flat=True))


def test_it_is_carried_through_all_its_states_on_time() -> None:
    page = make_page()
    api = component_of(page)
    maintenance = announced(page, api, reminders=(60, 15))
    assert tick(BEGINS - HOUR - MINUTE) == 0
    assert [tick(BEGINS - HOUR), tick(BEGINS - 15 * MINUTE), tick(BEGINS - MINUTE)] == [1, 1, 0]
    late = timedelta(milliseconds=400)
    assert [tick(BEGINS + late), tick(BEGINS + MINUTE)] == [1, 0]
    assert Component.objects.get().status == "under_maintenance"
    assert [tick(ENDS - MINUTE), tick(ENDS + late), tick(ENDS + HOUR)] == [0, 1, 0]
    assert timeline(maintenance) == [("Scheduled", ANNOUNCED), ("In progress", BEGINS), ("Completed", ENDS)]
    assert history(api) == [("under_maintenance", BEGINS), ("operational", ENDS)]
    assert kinds(maintenance) == [
        "maintenance.scheduled",
        "maintenance.reminder",
        "maintenance.reminder",
        "maintenance.started",
        "maintenance.completed",
    ]
    maintenance.refresh_from_db()
    assert (maintenance.began_at, maintenance.resolved_at, maintenance.duration) == (BEGINS, ENDS, 2 * HOUR)


def test_what_was_written_late_says_when_it_was_written() -> None:
    maintenance = announced(make_page())
    tick(BEGINS + 40 * MINUTE)
    begun = maintenance.updates.get(status="in_progress")
    assert (begun.display_at, begun.created_at) == (BEGINS, BEGINS + 40 * MINUTE)


def test_a_dispatcher_stopped_across_start_and_end_catches_up_in_one_tick_and_once() -> None:
    page = make_page()
    api = component_of(page)
    maintenance = announced(page, api)
    assert tick(ENDS + 3 * HOUR) == 2
    assert tick(ENDS + 3 * HOUR) == 0
    assert timeline(maintenance)[1:] == [("In progress", BEGINS), ("Completed", ENDS)]
    assert history(api) == [("under_maintenance", BEGINS), ("operational", ENDS)]


def test_a_reminder_that_was_missed_is_sent_late_before_the_start_and_skipped_after_it() -> None:
    page = make_page()
    late, missed = announced(page, reminders=(60,)), announced(page, reminders=(60,))
    assert tick(BEGINS - 5 * MINUTE) == 2
    assert kinds(late)[1:] == ["maintenance.reminder"]
    MaintenanceReminder.objects.filter(incident=missed).update(sent_at=None)
    tick(BEGINS + MINUTE)
    reminder = missed.reminders.get()
    assert (reminder.sent_at, reminder.skipped_at) == (None, BEGINS + MINUTE)


def test_a_reminder_whose_time_is_over_when_it_is_scheduled_is_skipped() -> None:
    maintenance = announced(make_page(), begins=ANNOUNCED + 30 * MINUTE, reminders=(60, 15))
    assert tick(ANNOUNCED + MINUTE) == 0
    assert [bool(reminder.skipped_at) for reminder in maintenance.reminders.all()] == [True, False]


def test_a_reminder_already_sent_is_sent_again_for_a_later_date() -> None:
    maintenance = announced(make_page(), reminders=(60,))
    tick(BEGINS - 30 * MINUTE)
    with travel(BEGINS - 20 * MINUTE, tick=False):
        actions.reschedule(maintenance, scheduled_for=BEGINS + 24 * HOUR, scheduled_until=ENDS + 24 * HOUR, actor=ALICE)
    assert tick(BEGINS + 23 * HOUR) == 1
    assert kinds(maintenance).count("maintenance.reminder") == 2


def test_windows_one_after_the_other_are_caught_up_with_in_the_order_of_time() -> None:
    page = make_page()
    api = component_of(page)
    announced(page, api, begins=BEGINS + 4 * HOUR)
    announced(page, api, begins=BEGINS)
    announced(page, api, begins=ENDS)
    assert tick(BEGINS + 12 * HOUR) == 6
    assert history(api) == [
        ("under_maintenance", BEGINS),
        ("under_maintenance", ENDS),
        ("under_maintenance", BEGINS + 4 * HOUR),
        ("operational", BEGINS + 6 * HOUR),
    ]


def test_overlapping_windows_are_one_time_under_maintenance() -> None:
    page = make_page()
    api = component_of(page)
    announced(page, api, begins=BEGINS)
    announced(page, api, begins=BEGINS + HOUR)
    tick(ENDS + 12 * HOUR)
    assert history(api) == [("under_maintenance", BEGINS), ("operational", ENDS + HOUR)]


def test_a_missed_start_hides_no_outage_that_was_reported_meanwhile() -> None:
    page = make_page()
    api = component_of(page)
    announced(page, api)
    with travel(BEGINS + 30 * MINUTE, tick=False):
        outage = make_incident(page, components={api: "major_outage"})
    with travel(BEGINS + 50 * MINUTE, tick=False):
        incident_actions.resolve(outage, UpdateInput(body="Done."), restore={api: "operational"}, actor=ALICE)
    tick(BEGINS + HOUR)
    tick(ENDS)
    assert history(api) == [("major_outage", BEGINS + 30 * MINUTE), ("operational", BEGINS + 50 * MINUTE)]


def test_switched_off_it_waits_for_somebody() -> None:
    maintenance = announced(make_page(), auto_start=False, auto_complete=False, reminders=())
    assert tick(BEGINS + HOUR) == 0
    with travel(BEGINS + HOUR, tick=False):
        actions.start(maintenance, actor=ALICE)
    assert tick(ENDS + HOUR) == 0
    assert maintenance.is_running


def test_an_extended_one_ends_at_its_new_time() -> None:
    maintenance = announced(make_page())
    tick(BEGINS)
    maintenance.refresh_from_db()
    with travel(ENDS - MINUTE, tick=False):
        actions.reschedule(maintenance, scheduled_for=BEGINS, scheduled_until=ENDS + HOUR, actor=ALICE)
    assert [tick(ENDS), tick(ENDS + HOUR)] == [0, 1]
    assert timeline(maintenance)[-1] == ("Completed", ENDS + HOUR)


def test_an_update_posted_just_before_a_late_start_keeps_its_place() -> None:
    maintenance = announced(make_page())
    with travel(BEGINS + 10 * MINUTE, tick=False):
        post(maintenance, "scheduled", "We are a little late.")
    tick(BEGINS + 12 * MINUTE)
    assert timeline(maintenance)[-1] == ("In progress", BEGINS + 10 * MINUTE)


def test_one_of_which_somebody_wrote_after_its_end_is_left_to_people() -> None:
    maintenance = announced(make_page())
    with travel(ENDS + 10 * MINUTE, tick=False):
        post(maintenance, "scheduled", "This did not take place: we are moving it.")
    assert tick(ENDS + HOUR) == 0
    maintenance.refresh_from_db()
    assert maintenance.is_upcoming


def test_a_hidden_or_cancelled_one_does_not_start_nor_remind() -> None:
    page = make_page()
    api = component_of(page)
    hidden, cancelled = announced(page, api), announced(page, api)
    with travel(ANNOUNCED + HOUR, tick=False):
        incident_actions.hide(hidden, actor=ALICE, reason="Wrong page")
        actions.cancel(cancelled, actor=ALICE)
    tick(BEGINS - HOUR)
    tick(ENDS)
    assert not Event.objects.filter(kind__in=["maintenance.reminder", "maintenance.started"]).exists()
    assert history(api) == []


def test_a_hidden_one_that_runs_still_gives_its_components_back() -> None:
    page = make_page()
    api = component_of(page)
    maintenance = announced(page, api)
    tick(BEGINS)
    with travel(BEGINS + HOUR, tick=False):
        incident_actions.hide(Incident.objects.get(), actor=ALICE, reason="Wrong page")
    tick(ENDS)
    maintenance.refresh_from_db()
    assert (maintenance.status, Component.objects.get().status) == ("completed", "operational")


def test_a_component_archived_meanwhile_is_left_out() -> None:
    page = make_page()
    api, web = component_of(page), component_of(page, "Web")
    maintenance = announced(page, api, web)
    component_actions.set_archived(api, archived=True, actor=ALICE)
    assert tick(BEGINS) == 1
    assert [row.component for row in maintenance.updates.get(status="in_progress").affected.all()] == [web]


def test_one_that_fails_is_logged_and_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    page = make_page()
    broken, fine = announced(page, reminders=()), announced(page, reminders=())
    # As if written by a machine whose clock is far ahead.
    Incident.objects.filter(pk=broken.pk).update(last_update_at=BEGINS + HOUR)
    assert [tick(BEGINS), tick(BEGINS)] == [1, 0]
    assert caplog.text.count("A scheduled step failed") == 1
    fine.refresh_from_db()
    assert fine.is_running


def test_nothing_due_costs_one_query_however_much_is_scheduled() -> None:
    page = make_page()
    for _ in range(5):
        announced(page)
    with travel(ANNOUNCED, tick=False):
        make_series(page)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert tick(ANNOUNCED + MINUTE) == 0
    assert len(queries) == 1


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("first", "last", "real"),
    [
        # The night of 25 October 2026 has 02:30 twice, that of 29 March 2026 not at all.
        (datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN), datetime(2026, 10, 25, 3, 30, tzinfo=BERLIN), 3 * HOUR),
        (datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN), datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN), HOUR),
    ],
)
def test_a_window_across_a_clock_change_lasts_what_the_clocks_say(
    first: datetime, last: datetime, real: timedelta
) -> None:
    """The dispatcher is stopped across the change, and catches up afterwards."""
    page = make_page(time_zone="Europe/Berlin")
    with travel(first - timedelta(days=2), tick=False):
        api = make_component(page)
    with travel(first - timedelta(days=1), tick=False):
        maintenance = make_maintenance(page, begins=first, scheduled_until=last, components=[api])
    assert tick(last.astimezone(UTC) + 5 * HOUR) == 2
    maintenance.refresh_from_db()
    assert maintenance.duration == real
    assert history(api) == [("under_maintenance", first.astimezone(UTC)), ("operational", last.astimezone(UTC))]


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_at_once_take_each_step_once() -> None:
    page = make_page()
    maintenances = [announced(page, component_of(page, f"API {number}"), reminders=(60,)) for number in range(10)]
    with travel(ANNOUNCED, tick=False):
        make_series(page, starts_at=datetime(2026, 10, 20, 12), rule="FREQ=DAILY")  # noqa: DTZ001
    for moment in (BEGINS - 30 * MINUTE, BEGINS, ENDS):
        with travel(moment, tick=False):
            both_at(moment)
    for maintenance in maintenances:
        assert [label for label, _ in timeline(maintenance)] == ["Scheduled", "In progress", "Completed"]
        assert kinds(maintenance).count("maintenance.reminder") == 1
    days = Incident.objects.exclude(series=None).values_list("occurrence_on", flat=True)
    assert len(days) == len(set(days)) == 4


def both_at(moment: datetime) -> None:
    start = threading.Barrier(2)

    def dispatch() -> None:
        start.wait()
        run_due(moment)
        connection.close()

    threads = [threading.Thread(target=dispatch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_due(moment)  # what both left to the other is the next tick's
