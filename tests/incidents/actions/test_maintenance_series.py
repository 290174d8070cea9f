from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from time_machine import Traveller, travel

from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.maintenances import maintenance_series as actions
from incidents.actions.maintenances.maintenance_lifecycle import MaintenanceOptions
from incidents.actions.scheduled_steps import run_due
from incidents.errors import EditConflict
from incidents.models import AuditEntry, Event, Incident, MaintenanceSeries, Page
from tests.factories import ALICE, BOB, make_component, make_page, make_series

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
# A series starts at a local time of its page, which has no offset of its own.
PAST_LOCAL_TIME = datetime(2026, 9, 1, 2)  # noqa: DTZ001 - a local time


@pytest.fixture(autouse=True)
def clock() -> Iterator[Traveller]:
    with travel(NOW, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


def days(series: MaintenanceSeries) -> list[date | None]:
    return list(series.occurrences.order_by("scheduled_for", "pk").values_list("occurrence_on", flat=True))


def local_starts(series: MaintenanceSeries) -> list[str]:
    rows = series.occurrences.upcoming().soonest_first()
    return [f"{occurrence.window[0].astimezone(BERLIN):%Y-%m-%d %H:%M %Z}" for occurrence in rows]


def counts() -> tuple[int, ...]:
    return tuple(model._default_manager.count() for model in (MaintenanceSeries, Incident, AuditEntry, Event))


def refused(field: str, act: Callable[[], object]) -> str:
    before = counts()
    with pytest.raises(ValidationError) as caught:
        act()
    assert counts() == before
    return " ".join(caught.value.message_dict[field])


def edited(series: MaintenanceSeries, **changes: Any) -> MaintenanceSeries:
    """Saved again as it is, but for `changes`."""
    same: dict[str, Any] = {name: getattr(series, name) for name in ("title", "body", "rule", "starts_at", "duration")}
    same |= {"components": list(series.components.all()), "actor": BOB}
    same["options"] = MaintenanceOptions.of(series, series.reminders)
    return actions.edit_series(series, **same | changes)


def test_the_next_three_are_on_the_page_at_the_same_local_time_across_the_clock_change(page: Page) -> None:
    api = make_component(page)
    options = MaintenanceOptions(auto_complete=False, reminders=(1440, 30))
    series = make_series(page, components=[api], options=options)
    assert local_starts(series) == ["2026-10-11 02:00 CEST", "2026-10-25 02:00 CEST", "2026-11-08 02:00 CET"]
    first = series.occurrences.soonest_first()[0]
    assert first.window[1] - first.window[0] == 2 * HOUR
    assert maintenance_lifecycle.options_of(first) == options
    assert first.affected_components() == [api]
    assert AuditEntry.objects.get(verb="series.changed").object_ref == series.public_id


def test_only_the_first_occurrence_is_announced_by_mail(page: Page) -> None:
    make_series(page)
    events = Event.objects.filter(kind="maintenance.scheduled", notify=True)
    assert [event.incident and event.incident.occurrence_on for event in events] == [date(2026, 10, 11)]


def test_another_one_follows_when_one_begins(page: Page, clock: Traveller) -> None:
    series = make_series(page)
    clock.move_to(datetime(2026, 10, 11, 0, 0, 1, tzinfo=UTC))
    run_due(datetime.now(UTC))
    assert days(series)[-1] == date(2026, 11, 22)
    assert series.occurrences.upcoming().count() == 3
    assert run_due(datetime.now(UTC)) == 0


def test_after_a_long_standstill_the_known_ones_are_caught_up_with_and_no_past_one_is_made_up(
    page: Page, clock: Traveller
) -> None:
    series = make_series(page)
    clock.move_to(datetime(2027, 2, 1, tzinfo=UTC))
    run_due(datetime.now(UTC))
    assert series.occurrences.ended().count() == 3
    assert days(series)[3:] == [date(2027, 2, 14), date(2027, 2, 28), date(2027, 3, 14)]


def test_one_that_is_moved_or_cancelled_alone_leaves_the_others_and_is_not_made_again(page: Page) -> None:
    series = make_series(page)
    first, second, third = series.occurrences.soonest_first()
    start, end = first.window
    maintenance_lifecycle.reschedule(
        first, scheduled_for=start + 30 * HOUR, scheduled_until=end + 30 * HOUR, actor=ALICE
    )
    maintenance_lifecycle.cancel(second, actor=ALICE)
    assert actions.create_due_occurrences(series, NOW) == []
    assert local_starts(series) == ["2026-10-12 08:00 CEST", "2026-11-08 02:00 CET"]
    assert third == series.occurrences.upcoming().soonest_first()[1]


def test_editing_carries_along_what_was_not_moved_alone(page: Page) -> None:
    api = make_component(page)
    series = make_series(page)
    moved = series.occurrences.soonest_first()[0]
    start, end = moved.window
    maintenance_lifecycle.reschedule(
        moved, scheduled_for=start + 30 * HOUR, scheduled_until=end + 30 * HOUR, actor=ALICE
    )
    edited(
        series,
        title="Patch night",
        body="We install updates and restart.",
        starts_at=datetime(2026, 10, 11, 4),  # noqa: DTZ001 - a local time
        duration=HOUR,
        components=[api],
        options=MaintenanceOptions(reminders=(15,)),
    )
    assert local_starts(series) == ["2026-10-12 08:00 CEST", "2026-10-25 04:00 CET", "2026-11-08 04:00 CET"]
    moved.refresh_from_db()
    assert (moved.title, moved.affected_components()) == ("Patch day", [])
    follower = series.occurrences.soonest_first()[1]
    assert (follower.title, follower.affected_components()) == ("Patch night", [api])
    assert follower.updates.earliest("pk").body == "We install updates and restart."
    assert maintenance_lifecycle.options_of(follower).reminders == (15,)
    assert not Event.objects.filter(kind="maintenance.rescheduled", incident=follower, notify=True).exists()


def test_days_that_the_new_rule_leaves_out_are_cancelled_and_come_back_with_the_old_rule(page: Page) -> None:
    series = make_series(page)
    edited(series, rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=SA")
    assert local_starts(series) == ["2026-10-24 02:00 CEST", "2026-11-07 02:00 CET", "2026-11-21 02:00 CET"]
    cancelled = series.occurrences.ended()
    assert cancelled.count() == 3
    assert all(
        occurrence.cancelled_at and "have changed" in occurrence.updates.latest("pk").body for occurrence in cancelled
    )
    edited(series, rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=SU")
    assert local_starts(series)[0] == "2026-10-11 02:00 CEST"


def test_saving_it_unchanged_moves_and_tells_nothing(page: Page) -> None:
    series = make_series(page)
    edited(series)
    assert not Event.objects.filter(kind__in=["maintenance.rescheduled", "maintenance.cancelled"]).exists()
    assert series.occurrences.count() == 3


def test_an_ended_series_makes_no_more_and_its_upcoming_ones_go_or_stay(page: Page, clock: Traveller) -> None:
    going, staying = make_series(page), make_series(page)
    actions.end_series(going, actor=ALICE, body="We moved to rolling updates.")
    actions.end_series(staying, actor=ALICE, cancel_upcoming=False)
    assert [series.occurrences.upcoming().count() for series in (going, staying)] == [0, 3]
    assert "rolling updates" in going.occurrences.soonest_first()[0].updates.latest("pk").body
    clock.move_to(NOW + timedelta(days=90))
    run_due(datetime.now(UTC))
    assert [series.occurrences.count() for series in (going, staying)] == [3, 3]
    with pytest.raises(ValidationError, match="has ended"):
        actions.end_series(going, actor=ALICE)
    with pytest.raises(ValidationError, match="has ended"):
        edited(going, title="Again")


def test_a_rule_with_an_end_runs_out(page: Page, clock: Traveller) -> None:
    series = make_series(page, rule="FREQ=WEEKLY;COUNT=2")
    assert series.occurrences.count() == 2
    clock.move_to(NOW + timedelta(days=90))
    run_due(datetime.now(UTC))
    series.refresh_from_db()
    assert (series.occurrences.count(), series.refill_at) == (2, None)
    assert run_due(datetime.now(UTC)) == 0


@pytest.mark.parametrize(
    ("field", "message", "fields"),
    [
        ("rule", "once a day", {"rule": "FREQ=SECONDLY"}),
        ("rule", "no occurrences", {"rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}),
        ("rule", "no future occurrences", {"rule": "FREQ=WEEKLY;COUNT=1", "starts_at": PAST_LOCAL_TIME}),
        ("starts_at", "local time", {"starts_at": NOW}),
        ("duration", "up to 90 days", {"duration": timedelta(0)}),
        ("duration", "90 days", {"duration": timedelta(days=91)}),
        ("title", "missing", {"title": ""}),
        ("body", "Enter a message", {"body": ""}),
        ("reminders", "1 minute to 30 days", {"options": MaintenanceOptions(reminders=(0,))}),
    ],
)
def test_bad_input_is_refused_at_its_field(page: Page, field: str, message: str, fields: dict[str, Any]) -> None:
    assert message in refused(field, lambda: make_series(page, **fields))
    series = make_series(page)
    assert message in refused(field, lambda: edited(series, **fields))


def test_a_repeated_submit_creates_one_series_and_the_second_editor_gets_a_conflict(page: Page) -> None:
    series = make_series(page, submission_key="k1")
    assert make_series(page, submission_key="k1") == series
    assert Incident.objects.count() == 3
    edited(series, title="Patch night", expected_version=1)
    with pytest.raises(EditConflict):
        edited(series, title="Patch evening", expected_version=1)


def test_creating_occurrences_causes_no_edit_conflict(page: Page, clock: Traveller) -> None:
    series = make_series(page)
    clock.move_to(datetime(2026, 10, 11, 0, 0, 1, tzinfo=UTC))
    run_due(datetime.now(UTC))
    assert edited(series, title="Patch night", expected_version=1).title == "Patch night"
