"""The bars of a component, whose complete days are computed once, equal the totals of its days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incidents.reporting.uptime import Interval, Weights, bars, daily_totals, day_bounds

ZONE = ZoneInfo("Europe/Berlin")
# The clocks change on October 25.
BOUNDS = day_bounds(date(2026, 10, 20), date(2026, 10, 27), ZONE)
START = datetime(2026, 10, 22, 9, tzinfo=UTC)
HISTORY = [
    Interval("operational", START, START + timedelta(days=1)),
    Interval("major_outage", START + timedelta(days=1), START + timedelta(days=1, hours=20)),
    Interval("operational", START + timedelta(days=1, hours=20), START + timedelta(days=4)),
    Interval("partial_outage", START + timedelta(days=4), START + timedelta(days=4, hours=1)),
    Interval("degraded_performance", START + timedelta(days=4, hours=1)),
]


@pytest.mark.parametrize("history", [HISTORY, HISTORY[:-1], HISTORY[2:3], HISTORY[-1:], []])
@pytest.mark.parametrize("until", [BOUNDS[-2], BOUNDS[-2] + timedelta(hours=5), BOUNDS[-1]])
def test_bars_equal_daily_totals(history: list[Interval], until: datetime) -> None:
    expected = tuple(day.worst for day in daily_totals(history, BOUNDS, until=until))
    for _ in range(2):
        assert bars(history, BOUNDS, Weights(), until=until).worst == expected


def test_a_correction_of_an_earlier_day_changes_its_bar() -> None:
    until = BOUNDS[-2] + timedelta(hours=5)
    before = bars(HISTORY, BOUNDS, Weights(), until=until)
    corrected = [HISTORY[0], Interval("partial_outage", HISTORY[1].start, HISTORY[1].end), *HISTORY[2:]]
    after = bars(corrected, BOUNDS, Weights(), until=until)
    assert before.worst != after.worst
    assert set(after.worst[:5]) == {None, "operational", "partial_outage"}
