"""What must hold of any history, window and zone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.models.states import BY_SEVERITY
from incidents.reporting import uptime
from incidents.reporting.uptime import ZERO, Interval, Weights

# Half an hour, a whole day, midnights that come twice or never.
ZONES = ["Etc/UTC", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "America/Havana"]
EPOCH = datetime(2011, 1, 1, tzinfo=UTC)
moments = st.integers(0, 400 * 86_400_000_000).map(lambda n: EPOCH + timedelta(microseconds=n))
windows = st.lists(moments, min_size=3, max_size=3).map(sorted)
statuses = st.sampled_from([status.value for status in BY_SEVERITY])
zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(date(2010, 12, 1), date(2012, 3, 1))


@st.composite
def histories(draw: st.DrawFn) -> list[Interval]:
    """Without overlap; with gaps; the last one perhaps open."""
    edges = sorted(draw(st.lists(moments, min_size=2, max_size=30, unique=True)))
    intervals = [Interval(draw(statuses), start, end) for start, end in pairwise(edges) if draw(st.booleans())]
    return [*intervals, Interval(draw(statuses), edges[-1])] if draw(st.booleans()) else intervals


@given(histories(), windows, moments)
def test_known_and_unknown_time_add_up_to_the_window(
    history: list[Interval], window: list[datetime], until: datetime
) -> None:
    start, _, end = window
    totals = uptime.totals(history, start, end, until=until)
    assert totals.known + totals.no_data == totals.window == end - start
    assert min(totals.no_data, *totals.lasted.values(), ZERO) == ZERO


@given(histories(), windows, moments)
def test_a_window_that_is_split_adds_up(history: list[Interval], window: list[datetime], until: datetime) -> None:
    start, middle, end = window
    whole = uptime.totals(history, start, end, until=until)
    halves = [uptime.totals(history, *half, until=until) for half in ((start, middle), (middle, end))]
    for status in BY_SEVERITY:
        assert whole.lasted.get(status, ZERO) == sum((half.lasted.get(status, ZERO) for half in halves), ZERO)


@given(histories(), days, st.integers(0, 400), zones, moments)
@settings(deadline=None)
def test_days_add_up_to_their_window(
    history: list[Interval], first: date, count: int, zone: ZoneInfo, until: datetime
) -> None:
    last = first + timedelta(days=count)
    all_days = uptime.days(history, first, last, zone, until=until)
    whole = uptime.totals(history, all_days[0].start, all_days[-1].end, until=until)
    for status in BY_SEVERITY:
        assert whole.lasted.get(status, ZERO) == sum((day.totals.lasted.get(status, ZERO) for day in all_days), ZERO)
    assert len(all_days) == count + 1
    assert all(previous.end == other.start for previous, other in pairwise(all_days))


@given(histories(), days, zones, moments)
@settings(deadline=None)
def test_each_day_alone_is_what_it_is_among_others(
    history: list[Interval], first: date, zone: ZoneInfo, until: datetime
) -> None:
    for day in uptime.days(history, first, first + timedelta(days=9), zone, until=until):
        assert day.totals == uptime.totals(history, day.start, day.end, until=until)


@given(histories(), st.randoms(use_true_random=False), days, zones)
@settings(deadline=None)
def test_the_order_of_intervals_does_not_matter(
    history: list[Interval], chance: object, first: date, zone: ZoneInfo
) -> None:
    shuffled = list(history)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    last, until = first + timedelta(days=60), EPOCH + timedelta(days=400)
    assert uptime.days(shuffled, first, last, zone, until=until) == uptime.days(history, first, last, zone, until=until)


@given(histories(), windows)
def test_a_percentage_lies_between_nothing_and_a_hundred_which_only_a_clean_history_has(
    history: list[Interval], window: list[datetime]
) -> None:
    start, _, end = window
    totals = uptime.totals(history, start, end, until=end)
    percentage = totals.percentage(Weights())
    if percentage is None:
        assert totals.known == ZERO
    else:
        assert 0 <= percentage <= 100
        assert (percentage == 100) == (totals.seconds_down(Weights()) == 0)


@given(st.lists(st.one_of(st.none(), statuses), max_size=120))
def test_runs_say_the_same_as_the_days(row: list[str | None]) -> None:
    status_by_day = {
        first + n: status for status, runs in uptime.runs(row).items() for first, count in runs for n in range(count)
    }
    assert [status_by_day[number] or None for number in range(len(row))] == row
