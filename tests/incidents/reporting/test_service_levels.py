"""Budgets worked out by hand, and what must hold for every history."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.reporting.periods import Period
from incidents.reporting.service_levels import Promise, ServiceLevel, ServiceLevelResult, minutes, service_level
from incidents.reporting.uptime import Interval, Weights, midnight

BERLIN = ZoneInfo("Europe/Berlin")
OCTOBER = Period(date(2026, 10, 1))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
THREE_NINES = Promise(Decimal("99.9"), LONG_AGO)


def in_october(day: int, hour: float = 0) -> datetime:
    return midnight(date(2026, 10, day), BERLIN) + timedelta(hours=hour)


def history(*downs: tuple[str, datetime, int], since: datetime = LONG_AGO) -> list[Interval]:
    """Operational since `since`, apart from (status, from, minutes)."""
    intervals, before = [], since
    for status, start, length in downs:
        end = start + timedelta(minutes=length)
        intervals += [Interval("operational", before, start), Interval(status, start, end)]
        before = end
    return [*intervals, Interval("operational", before)]


def level(
    intervals: list[Interval], *promises: Promise, period: Period = OCTOBER, now: datetime = LATER
) -> ServiceLevel:
    start, end = period.window(BERLIN)
    return service_level(intervals, promises, start=start, end=end, now=now, weights=Weights())


def test_a_month_with_745_hours_allows_44_70_minutes_at_three_nines() -> None:
    service_level = level(history(), THREE_NINES)
    assert (service_level.budget_minutes, service_level.used_minutes, service_level.left_minutes) == (
        Decimal("44.70"),
        Decimal(0),
        Decimal("44.70"),
    )
    assert (service_level.achieved, service_level.result) == (Decimal(100), ServiceLevelResult.MET)


def test_a_month_with_743_hours_allows_44_58() -> None:
    assert level(history(), THREE_NINES, period=Period(date(2026, 3, 1))).budget_minutes == Decimal("44.58")


def test_thirty_minutes_down_and_an_hour_partly_miss_three_nines_by_3_30_minutes() -> None:
    downs = [("major_outage", in_october(5, 12), 30), ("partial_outage", in_october(9), 60)]
    service_level = level(history(*downs), THREE_NINES)
    assert service_level.used_minutes == 48
    assert service_level.left_minutes == Decimal("-3.30")
    assert service_level.achieved == Decimal("99.8926")
    assert service_level.result is ServiceLevelResult.MISSED


def test_exactly_the_budget_is_met_and_a_second_more_is_not() -> None:
    start, end = OCTOBER.window(BERLIN)
    budget = (end - start) / 1000
    down = [
        Interval("operational", LONG_AGO, in_october(5)),
        Interval("major_outage", in_october(5), in_october(5) + budget),
    ]
    exact = level([*down, Interval("operational", in_october(5) + budget)], THREE_NINES)
    assert (exact.left_minutes, exact.achieved, exact.result) == (Decimal(0), Decimal("99.9"), ServiceLevelResult.MET)
    longer = in_october(5) + budget + timedelta(seconds=1)
    more = level(
        [down[0], Interval("major_outage", in_october(5), longer), Interval("operational", longer)], THREE_NINES
    )
    assert more.result is ServiceLevelResult.MISSED


def test_maintenance_and_degraded_performance_use_no_budget() -> None:
    downs = [("under_maintenance", in_october(5), 600), ("degraded_performance", in_october(9), 600)]
    assert level(history(*downs), THREE_NINES).used == 0


def test_what_lies_outside_of_the_period_counts_in_the_other_one() -> None:
    across = history(("major_outage", in_october(1, -1), 90))
    assert level(across, THREE_NINES).used_minutes == 30
    assert level(across, THREE_NINES, period=OCTOBER.previous).used_minutes == 60
    assert level(across, THREE_NINES, period=OCTOBER.next).used_minutes == 0


def test_a_target_of_a_hundred_percent_allows_nothing() -> None:
    promise = Promise(Decimal(100), LONG_AGO)
    assert level(history(), promise).result is ServiceLevelResult.MET
    service_level = level(history(("partial_outage", in_october(5), 10)), promise)
    assert (service_level.budget_minutes, service_level.left_minutes, service_level.result) == (
        Decimal(0),
        Decimal(-3),
        ServiceLevelResult.MISSED,
    )


def test_without_a_target_there_is_uptime_and_no_budget() -> None:
    service_level = level(history(("major_outage", in_october(5), 447)))
    assert (service_level.achieved, service_level.budget_minutes, service_level.left_minutes) == (
        Decimal(99),
        None,
        None,
    )
    assert (service_level.down_minutes, service_level.result) == (Decimal(447), ServiceLevelResult.NO_TARGET)


def test_no_data_is_never_a_hundred_percent() -> None:
    service_level = level([], THREE_NINES)
    assert (service_level.achieved, service_level.budget, service_level.result) == (
        None,
        None,
        ServiceLevelResult.NO_DATA,
    )
    assert level(history(since=in_october(1) + timedelta(days=40)), THREE_NINES).result is ServiceLevelResult.NO_DATA


def test_a_component_that_is_new_in_the_month_has_a_budget_for_the_rest_of_it() -> None:
    service_level = level(history(("major_outage", in_october(20), 9), since=in_october(17)), THREE_NINES)
    # From the 17th to the 31st: 15 days and the hour that October has twice.
    assert (service_level.known_minutes, service_level.budget_minutes) == (Decimal(21660), Decimal("21.66"))
    assert (service_level.left_minutes, service_level.points[0].at) == (Decimal("12.66"), in_october(17))


def test_a_running_month_has_the_whole_budget_and_is_met_only_at_its_end() -> None:
    service_level = level(history(("major_outage", in_october(5), 10)), THREE_NINES, now=in_october(11))
    assert (service_level.budget_minutes, service_level.left_minutes) == (Decimal("44.70"), Decimal("34.70"))
    assert service_level.known_minutes == 14400
    assert (service_level.achieved, service_level.result) == (Decimal("99.9305"), ServiceLevelResult.WITHIN_BUDGET)


def test_an_outage_that_goes_on_counts_until_now() -> None:
    going_on = [Interval("operational", LONG_AGO, in_october(5)), Interval("major_outage", in_october(5))]
    assert level(going_on, THREE_NINES, now=in_october(5, 0.5)).used_minutes == 30
    assert level(going_on, THREE_NINES, now=in_october(5, 1)).result is ServiceLevelResult.MISSED


def test_a_target_that_begins_within_the_month_counts_from_then() -> None:
    downs = [("major_outage", in_october(5), 60), ("major_outage", in_october(20), 7)]
    service_level = level(history(*downs), Promise(Decimal("99.9"), in_october(17)))
    assert (service_level.budget_minutes, service_level.used_minutes, service_level.down_minutes) == (
        Decimal("21.66"),
        Decimal(7),
        Decimal(67),
    )
    assert service_level.result is ServiceLevelResult.MET


def test_two_targets_in_a_month_add_up_to_one_budget() -> None:
    service_level = level(
        history(), Promise(Decimal("99.9"), LONG_AGO, in_october(17)), Promise(Decimal("99.5"), in_october(17))
    )
    # 16 days at 0.1 % and 361 hours at 0.5 %.
    assert service_level.budget_minutes == Decimal("23.04") + Decimal("108.30")


def test_the_budget_is_used_evenly_while_a_component_is_down() -> None:
    service_level = level(history(("partial_outage", in_october(5), 100)), THREE_NINES)
    assert service_level.used_at(in_october(4)) == 0
    assert service_level.used_at(in_october(5) + timedelta(minutes=50)) == 15 * 60
    assert service_level.used_at(in_october(31)) == 30 * 60


def test_days_that_used_budget_are_those_of_the_zone() -> None:
    # 45 minutes around midnight between the 25th, which has 25 hours, and the 26th.
    service_level = level(history(("major_outage", in_october(26) - timedelta(minutes=15), 45)), THREE_NINES)
    days = [(day.date.day, day.used, day.left) for day in service_level.days_that_used_budget(OCTOBER, BERLIN)]
    assert days == [(25, Decimal(15), Decimal("29.70")), (26, Decimal(30), Decimal("-0.30"))]


def test_days_add_up_to_the_total_as_shown() -> None:
    ten_seconds = timedelta(seconds=10)
    downs = [Interval("major_outage", in_october(day), in_october(day) + ten_seconds) for day in (5, 6)]
    ups = [
        Interval("operational", LONG_AGO, in_october(5)),
        Interval("operational", downs[0].end or LATER, in_october(6)),
    ]
    service_level = level([*ups, *downs], THREE_NINES)
    days = service_level.days_that_used_budget(OCTOBER, BERLIN)
    assert [day.used for day in days] == [Decimal("0.17"), Decimal("0.16")]
    assert service_level.used_minutes == Decimal("0.33")


STATUSES = st.sampled_from(["operational", "major_outage", "partial_outage", "under_maintenance"])


@given(
    st.lists(st.tuples(STATUSES, st.integers(1, 3_000_000)), max_size=12),
    st.lists(st.tuples(st.integers(1, 31), st.sampled_from(["99", "99.9", "99.999", "100"])), max_size=3),
    st.integers(1, 40),
)
def test_line_days_and_sum_agree_for_every_history(
    rows: list[tuple[str, int]], targets: list[tuple[int, str]], days_passed: int
) -> None:
    intervals, at = [], in_october(1) - timedelta(days=5)
    for status, seconds in rows:
        intervals.append(Interval(status, at, at + timedelta(seconds=seconds)))
        at += timedelta(seconds=seconds)
    intervals.append(Interval("operational", at))
    begins = sorted({in_october(day): percent for day, percent in targets}.items())
    ends = [start for start, _ in begins[1:]] + [None]
    promises = [Promise(Decimal(percent), start, end) for (start, percent), end in zip(begins, ends, strict=False)]
    service_level = level(intervals, *promises, now=in_october(1) + timedelta(days=days_passed))
    used = [point.used for point in service_level.points]
    assert used == sorted(used)
    assert service_level.used <= service_level.totals.seconds_down(service_level.weights)
    days = service_level.days_that_used_budget(OCTOBER, BERLIN)
    assert sum(day.used for day in days) == service_level.used_minutes
    assert not days or days[-1].left == service_level.left_minutes
    # The same, counted without points: every second of every interval that a target covers.
    start, end = OCTOBER.window(BERLIN)
    by_hand = sum(
        (
            service_level.weights.of(interval.status) * Decimal((high - low).total_seconds())
            for interval in intervals
            for promise in promises
            if (low := max(interval.start, promise.start, start))
            < (high := min(interval.end or service_level.until, promise.end or end, service_level.until))
        ),
        Decimal(0),
    )
    assert service_level.used == by_hand


@pytest.mark.parametrize(("seconds", "expected"), [("43", "0.72"), ("0.3", "0.00"), ("2592", "43.20")])
def test_minutes_are_shown_to_the_hundredth(seconds: str, expected: str) -> None:
    assert f"{minutes(Decimal(seconds))}" == expected
