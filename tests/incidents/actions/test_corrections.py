from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.incidents import corrections
from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.update_input import UpdateInput
from incidents.errors import EditConflict
from incidents.models import AuditEntry, Component, Event, Incident, IncidentUpdate, StatusInterval
from incidents.reporting import uptime
from incidents.reporting.status_history import read_histories
from incidents.reporting.uptime import Weights
from tests.factories import ALICE, make_component, make_incident, make_page, post

pytestmark = pytest.mark.django_db

BEGAN = datetime(2024, 5, 1, 9, tzinfo=UTC)


def at(hours: float) -> datetime:
    return BEGAN + timedelta(hours=hours)


def an_outage() -> tuple[Component, Incident]:
    """REST API down from 10:00 to 12:00 on a page that began at 09:00, written as it happened. The clock stands still
    at 13:00 while a test runs."""
    with time_machine.travel(at(0), tick=False):
        page = make_page()
        api = make_component(page)
    with time_machine.travel(at(1), tick=False):
        incident = make_incident(page, components={api: "major_outage"})
    with time_machine.travel(at(2), tick=False):
        post(incident, status="monitoring")
    with time_machine.travel(at(3), tick=False):
        actions.resolve(incident, UpdateInput(body="Done."), restore={api: "operational"}, actor=ALICE)
    return api, incident


def updates_of(incident: Incident) -> list[IncidentUpdate]:
    return list(incident.updates.order_by("display_at"))


def history(component: Component, *, as_reported: datetime | None = None) -> list[tuple[str, float, float | None]]:
    """Status, and hours after nine from when to when."""
    histories = read_histories([component], at(-9000), at(9000), zone=component.page.zone, as_reported=as_reported)
    rows = sorted(histories[component.pk], key=lambda interval: interval.start)
    hours: Callable[[datetime], float] = lambda moment: (moment - BEGAN) / timedelta(hours=1)  # noqa: E731
    return [
        (interval.status, hours(interval.start), hours(interval.end) if interval.end else None) for interval in rows
    ]


def assert_no_gaps(component: Component) -> None:
    rows = list(component.intervals.as_corrected().order_by("started_at"))
    assert all(interval.ended_at == other.started_at for interval, other in pairwise(rows))
    assert rows[-1].ended_at is None
    assert rows[-1].status == Component.objects.get(pk=component.pk).status


def percentage(component: Component, *, as_reported: datetime | None = None) -> str:
    """Of the ten hours from 09:00."""
    histories = read_histories([component], at(0), at(10), zone=component.page.zone, as_reported=as_reported)
    totals = uptime.totals(histories[component.pk], at(0), at(10), until=at(10))
    return uptime.percentage_text(totals.percentage(Weights()))


@pytest.fixture(autouse=True)
def _one_o_clock() -> object:
    with time_machine.travel(at(4), tick=False):
        yield


def test_an_outage_that_began_earlier_than_its_update_says_is_put_right() -> None:
    api, incident = an_outage()
    corrections.correct_update_time(updates_of(incident)[0], at=at(0.5), actor=ALICE, reason="Read the logs")
    assert history(api) == [("operational", 0, 0.5), ("major_outage", 0.5, 3), ("operational", 3, None)]
    assert_no_gaps(api)


def test_an_outage_that_began_later_is_put_right_too() -> None:
    api, incident = an_outage()
    corrections.correct_update_time(updates_of(incident)[0], at=at(1.5), actor=ALICE)
    assert history(api) == [("operational", 0, 1.5), ("major_outage", 1.5, 3), ("operational", 3, None)]
    assert_no_gaps(api)


def test_as_reported_then_and_as_corrected_can_both_be_recomputed() -> None:
    api, incident = an_outage()
    before = timezone.now()
    with time_machine.travel(at(5), tick=False):
        corrections.correct_update_time(updates_of(incident)[-1], at=at(2), actor=ALICE)
    with time_machine.travel(at(6), tick=False):
        corrections.correct_history(api, "partial_outage", start=at(1), end=at(2), actor=ALICE, reason="Half of it")
    assert (percentage(api, as_reported=before), history(api, as_reported=before)) == (
        "80.00 %", [("operational", 0, 1), ("major_outage", 1, 3), ("operational", 3, None)],
    )  # fmt: skip
    assert percentage(api, as_reported=at(5)) == "90.00 %"
    assert percentage(api) == "97.00 %"


def test_what_was_on_record_while_it_happened_can_be_told() -> None:
    api, _ = an_outage()
    assert history(api, as_reported=at(-1)) == []
    assert history(api, as_reported=at(0)) == [("operational", 0, None)]
    assert history(api, as_reported=at(2)) == [("operational", 0, 1), ("major_outage", 1, None)]


def test_of_what_was_on_record_at_any_moment_nothing_overlaps() -> None:
    api, incident = an_outage()
    first = updates_of(incident)[0]
    for number, hours in enumerate((0.5, 1.5, 0.25)):
        with time_machine.travel(at(5 + number), tick=False):
            corrections.correct_update_time(first, at=at(hours), actor=ALICE)
    moments = {row.recorded_at for row in StatusInterval.objects.all()}
    assert len(moments) == 6
    for moment in moments:
        intervals = history(api, as_reported=moment)
        assert all(interval[2] == other[1] for interval, other in pairwise(intervals))
        assert intervals[-1][2] is None


def test_a_correction_deletes_nothing() -> None:
    api, incident = an_outage()
    rows = {row.pk: (row.status, row.started_at, row.ended_at) for row in StatusInterval.objects.all()}
    corrections.correct_update_time(updates_of(incident)[0], at=at(0.5), actor=ALICE)
    corrections.correct_history(api, "operational", start=at(0), end=at(2), actor=ALICE, reason="A false alarm")
    stored = {row.pk: (row.status, row.started_at, row.ended_at) for row in StatusInterval.objects.filter(pk__in=rows)}
    assert stored == rows


def test_the_incident_takes_over_the_corrected_times() -> None:
    _, incident = an_outage()
    for update, hours in zip(updates_of(incident), (0.5, 1.5, 2.5), strict=True):
        corrections.correct_update_time(update, at=at(hours), actor=ALICE)
    incident.refresh_from_db()
    assert (incident.started_at, incident.monitoring_at, incident.resolved_at) == (at(0.5), at(1.5), at(2.5))
    assert incident.last_update_at == at(2.5)
    assert incident.created_at == at(1)


def test_a_time_correction_is_shown_as_an_edit_audited_and_told_as_an_event() -> None:
    _, incident = an_outage()
    update = updates_of(incident)[0]
    corrections.correct_update_time(update, at=at(0.5), actor=ALICE, reason="Read the logs")
    update.refresh_from_db()
    assert (update.display_at, update.created_at, update.edited_at) == (at(0.5), at(1), at(4))
    (revision,) = update.revisions.all()
    expected = "Time corrected from <del>May 01, 2024 - 10:00 UTC</del> to <ins>May 01, 2024 - 09:30 UTC</ins>."
    assert revision.change_html == expected
    entry = AuditEntry.objects.get(verb="update.edited")
    assert (entry.details["old_time"], entry.details["reason"]) == (at(1).isoformat(), "Read the logs")
    assert Event.objects.get(kind="update.edited").update == update


def test_the_same_time_again_changes_nothing() -> None:
    _, incident = an_outage()
    corrections.correct_update_time(updates_of(incident)[0], at=at(1), actor=ALICE)
    assert not Event.objects.filter(kind="update.edited").exists()


@pytest.mark.parametrize(
    ("number", "hours", "message"),
    [
        (0, 2.5, "after the next update"),
        (1, 0.5, "before the previous update"),
        (2, 9, "is in the future"),
    ],
)
def test_updates_keep_their_order_and_stay_out_of_the_future(number: int, hours: float, message: str) -> None:
    api, incident = an_outage()
    before = history(api)
    with pytest.raises(ValidationError, match=message) as caught:
        corrections.correct_update_time(updates_of(incident)[number], at=at(hours), actor=ALICE)
    assert list(caught.value.message_dict) == ["at"]
    assert history(api) == before


def test_a_time_does_not_move_across_what_another_incident_said_of_the_component() -> None:
    api, incident = an_outage()
    with time_machine.travel(at(3.5), tick=False):
        other = make_incident(api.page, components={api: "degraded_performance"})
    before = history(api)
    with pytest.raises(ValidationError, match="REST API changed again before this time"):
        corrections.correct_update_time(updates_of(incident)[-1], at=at(3.75), actor=ALICE)
    with pytest.raises(ValidationError, match="changed again"):
        corrections.correct_update_time(updates_of(other)[0], at=at(2), actor=ALICE)
    assert history(api) == before
    assert updates_of(incident)[-1].version == 1


def test_a_time_that_somebody_else_corrected_meanwhile_is_a_conflict() -> None:
    _, incident = an_outage()
    update = updates_of(incident)[0]
    corrections.correct_update_time(update, at=at(0.5), actor=ALICE, expected_version=1)
    with pytest.raises(EditConflict):
        corrections.correct_update_time(update, at=at(0.75), actor=ALICE, expected_version=1)


def test_the_time_of_an_update_without_components_moves_alone() -> None:
    api, incident = an_outage()
    before = history(api)
    corrections.correct_update_time(updates_of(incident)[1], at=at(1.25), actor=ALICE)
    assert history(api) == before


def test_a_history_that_begins_with_a_backdated_outage_begins_at_its_corrected_time() -> None:
    page = make_page()
    api = make_component(page)
    incident = make_incident(page, components={api: "major_outage"}, at=at(1))
    corrections.correct_update_time(updates_of(incident)[0], at=at(-2), actor=ALICE)
    assert history(api) == [("major_outage", -2, None)]


def test_a_status_that_was_set_by_mistake_is_taken_back() -> None:
    api, _ = an_outage()
    corrections.correct_history(api, "operational", start=at(1), end=at(3), actor=ALICE, reason="It was the monitor")
    assert {status for status, _, _ in history(api)} == {"operational"}
    assert_no_gaps(api)
    entry = AuditEntry.objects.get(verb="history.corrected")
    assert (entry.object_ref, entry.actor_label) == (api.public_id, "Alice")
    assert entry.details == {
        "old": ["major_outage"], "new": "operational", "reason": "It was the monitor",
        "start": at(1).isoformat(), "end": at(3).isoformat(),
    }  # fmt: skip
    assert Event.objects.get(kind="history.corrected").component == api


def test_an_outage_that_nobody_reported_is_added_inside_an_interval() -> None:
    api, _ = an_outage()
    corrections.correct_history(api, "major_outage", start=at(3.25), end=at(3.5), actor=ALICE, reason="Found in logs")
    assert history(api)[2:] == [("operational", 3, 3.25), ("major_outage", 3.25, 3.5), ("operational", 3.5, None)]
    assert_no_gaps(api)


def test_a_history_can_be_carried_further_back_but_not_with_a_gap() -> None:
    api, _ = an_outage()
    corrections.correct_history(api, "operational", start=at(-5), end=at(0), actor=ALICE, reason="Moved in")
    assert history(api)[0] == ("operational", -5, 0)
    with pytest.raises(ValidationError, match="begins later") as caught:
        corrections.correct_history(api, "operational", start=at(-9), end=at(-8), actor=ALICE, reason="Moved in")
    assert list(caught.value.message_dict) == ["end"]
    assert_no_gaps(api)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": at(1)}, "end"),
        ({"end": at(0.5)}, "end"),
        ({"end": at(4.01)}, "end"),
        ({"start": at(0.5).replace(tzinfo=None)}, "start"),
        ({"start": at(8)}, "start"),
        ({"status": "on_fire"}, "status"),
        ({"reason": " "}, "reason"),
    ],
)
def test_a_correction_that_makes_no_sense_is_refused_at_its_field(changes: dict[str, object], field: str) -> None:
    api, _ = an_outage()
    before = history(api)
    fields: dict[str, object] = {"status": "operational", "start": at(1), "end": at(2), "reason": "Because"}
    with pytest.raises(ValidationError) as caught:
        corrections.correct_history(api, actor=ALICE, **fields | changes)  # type: ignore[arg-type]
    assert list(caught.value.message_dict) == [field]
    assert history(api) == before


def test_the_present_is_not_touched_by_a_correction_of_the_past() -> None:
    api, _ = an_outage()
    corrections.correct_history(api, "major_outage", start=at(3), end=at(4), actor=ALICE, reason="It was still down")
    assert Component.objects.get().status == "operational"
    assert_no_gaps(api)


def test_time_before_the_start_date_is_no_data() -> None:
    page = make_page()
    api = make_component(page, start_date=BEGAN.date())
    make_incident(page, components={api: "major_outage"}, at=at(-24))
    assert history(api)[0][:2] == ("major_outage", -9)
