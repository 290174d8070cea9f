"""Figures worked out by hand; the times of each incident stand beside it in minutes after noon."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.reporting.periods import Period
from incidents.reporting.response_times import IncidentTimes, Measure, by_month, figure, nearest_rank

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
OCTOBER = Period(NOON.date().replace(day=1))
ACKNOWLEDGE, FIX, RESOLVE = Measure


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def course(
    *steps: tuple[float, str], stated: float | None = None, harm: float | None = None, impact: str = "major"
) -> IncidentTimes:
    return IncidentTimes(
        month=OCTOBER,
        impact=impact,
        stated_start=None if stated is None else at(stated),
        first_impact=None if harm is None else at(harm),
        steps=[(at(minutes), status) for minutes, status in steps],
    )


def took(measure: Measure, times: IncidentTimes) -> float | None:
    duration = times.took(measure)
    return None if duration is None else duration / timedelta(minutes=1)


USUAL = ((0, "investigating"), (10, "identified"), (40, "monitoring"), (60, "resolved"))


def test_each_time_counts_from_the_stated_start_of_the_impact() -> None:
    times = course(*USUAL, stated=-5, harm=0)
    assert [took(measure, times) for measure in Measure] == [5, 45, 65]


def test_without_a_stated_start_the_first_component_that_fails_is_the_start() -> None:
    times = course(*USUAL, harm=-2)
    assert [took(measure, times) for measure in Measure] == [2, 42, 62]


def test_an_update_that_is_itself_the_start_was_no_quick_answer() -> None:
    times = course(*USUAL, harm=0)
    assert [took(measure, times) for measure in Measure] == [None, 40, 60]


def test_a_stated_start_at_the_first_update_is_an_answer_at_once() -> None:
    assert took(ACKNOWLEDGE, course(*USUAL, stated=0)) == 0


def test_without_any_start_nothing_is_counted() -> None:
    assert [took(measure, course(*USUAL)) for measure in Measure] == [None, None, None]


def test_an_incident_that_goes_on_counts_as_far_as_it_has_come() -> None:
    times = course(*USUAL[:3], stated=-5)
    assert [took(measure, times) for measure in Measure] == [5, 45, None]


def test_who_resolves_without_monitoring_has_no_time_to_fix() -> None:
    assert took(FIX, course(USUAL[0], USUAL[3], stated=-5)) is None


def test_a_fix_that_did_not_hold_is_none_and_repeated_news_of_it_is_no_second() -> None:
    steps = [(0, "investigating"), (10, "monitoring"), (20, "identified"), (30, "monitoring"), (35, "monitoring")]
    assert took(FIX, course(*steps, (60, "resolved"), stated=0)) == 30


def test_a_reopened_incident_is_resolved_when_it_is_resolved_for_good() -> None:
    times = course(*USUAL, (90, "investigating"), (120, "resolved"), stated=0)
    assert took(RESOLVE, times) == 120
    assert took(RESOLVE, course(*USUAL, (90, "investigating"), stated=0)) is None


def test_times_that_contradict_each_other_are_not_counted() -> None:
    times = course((0, "investigating"), (10, "resolved"), harm=5)
    assert [took(measure, times) for measure in Measure] == [None, None, 5]
    assert took(ACKNOWLEDGE, course((0, "investigating"), stated=3)) is None


@pytest.mark.parametrize(
    ("values", "median", "ninetieth"),
    [
        ([7], 7, 7),
        ([1, 2], 1, 2),
        ([3, 1, 2], 2, 3),
        ([15, 20, 35, 40, 50], 35, 50),
        (list(range(1, 11)), 5, 9),
        (list(range(1, 12)), 6, 10),
        (list(range(1, 101)), 50, 90),
    ],
)
def test_percentiles_are_nearest_rank(values: list[int], median: int, ninetieth: int) -> None:
    durations = [timedelta(minutes=value) for value in values]
    assert nearest_rank(durations, 50) == timedelta(minutes=median)
    assert nearest_rank(durations, 90) == timedelta(minutes=ninetieth)


def test_there_is_no_percentile_of_nothing() -> None:
    assert nearest_rank([], 50) is None


@given(st.lists(st.integers(0, 10_000), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_smallest_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    durations = [timedelta(seconds=value) for value in values]
    percentile = nearest_rank(durations, percent)
    assert percentile in durations

    def reached(limit: timedelta) -> bool:
        return sum(duration <= limit for duration in durations) * 100 >= percent * len(durations)

    assert reached(percentile)
    assert not any(reached(smaller) for smaller in durations if smaller < percentile)


def test_the_sample_says_how_many_had_the_times() -> None:
    october = figure([course(*USUAL, stated=-5), course(*USUAL, harm=0), course(*USUAL)], ACKNOWLEDGE)
    assert (october.counted, october.incidents) == (1, 3)
    assert october.median == timedelta(minutes=5)


def test_months_stand_in_their_order_and_split_by_impact_worst_first() -> None:
    months = by_month(
        [course(*USUAL, stated=-5, impact="minor"), course(*USUAL, stated=-9, impact="critical")],
        [OCTOBER.previous, OCTOBER],
        RESOLVE,
    )
    assert [month.total.incidents for month in months] == [0, 2]
    assert months[0].total.median is None
    assert [(impact.value, summary.median) for impact, summary in months[1].by_impact] == [
        ("critical", timedelta(minutes=69)),
        ("minor", timedelta(minutes=65)),
    ]
    assert (months[1].total.median, months[1].total.ninetieth) == (timedelta(minutes=65), timedelta(minutes=69))
