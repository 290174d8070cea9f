from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from incidents.reporting import uptime
from incidents.reporting.uptime import ZERO, Interval, Totals, Weights

HOUR = timedelta(hours=1)
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
WEIGHTS = Weights()


def at(hours: float) -> datetime:
    return NOON + hours * HOUR


def shares(**hours: float) -> Totals:
    """A window that is known throughout."""
    lasted = {status: HOUR * n for status, n in hours.items()}
    return Totals(sum(lasted.values(), ZERO), lasted)


def test_an_hour_of_major_outage_in_a_hundred_costs_one_percent() -> None:
    assert shares(operational=99, major_outage=1).percentage(WEIGHTS) == 99


def test_partial_outage_counts_at_thirty_percent_unless_the_page_says_otherwise() -> None:
    hours = shares(operational=99, partial_outage=1)
    assert hours.percentage(WEIGHTS) == Decimal("99.7")
    assert hours.percentage(Weights(partial_outage=Decimal("0.5"))) == Decimal("99.5")
    assert hours.seconds_down(WEIGHTS) == 1080


def test_maintenance_and_degraded_performance_are_known_time_that_is_not_down() -> None:
    hours = shares(operational=1, under_maintenance=2, degraded_performance=3)
    assert (hours.percentage(WEIGHTS), hours.known) == (Decimal(100), 6 * HOUR)


def test_degraded_performance_counts_on_a_page_that_says_so() -> None:
    hours = shares(operational=3, degraded_performance=1)
    assert hours.percentage(Weights(degraded_performance=Decimal("0.1"))) == Decimal("97.5")


def test_time_without_data_is_neither_up_nor_down() -> None:
    totals = uptime.totals(
        [Interval("major_outage", at(6)), Interval("operational", at(3), at(6))], at(0), at(9), until=at(9)
    )
    assert (totals.no_data, totals.known) == (3 * HOUR, 6 * HOUR)
    assert totals.percentage(WEIGHTS) == 50


def test_a_percentage_of_nothing_is_no_data_and_not_a_hundred() -> None:
    totals = uptime.totals([], at(0), at(9), until=at(9))
    assert totals.percentage(WEIGHTS) is None
    assert uptime.percentage_text(None) == "no data"
    assert totals.worst is None


def test_the_future_is_no_data() -> None:
    totals = uptime.totals([Interval("operational", at(0))], at(0), at(10), until=at(4))
    assert (totals.lasted, totals.no_data) == ({"operational": 4 * HOUR}, 6 * HOUR)


def test_an_interval_that_only_touches_the_window_adds_nothing() -> None:
    touching = [Interval("major_outage", at(-1), at(0)), Interval("major_outage", at(2), at(3))]
    assert uptime.totals(touching, at(0), at(2), until=at(9)).lasted == {}


@pytest.mark.parametrize(
    ("down", "shown"),
    [
        ("0", "100 %"),
        ("0.000001", "99.99 %"),
        ("1", "99.99 %"),
        ("0.3", "99.99 %"),
        ("150", "98.50 %"),
        ("10000", "0.00 %"),
    ],
)
def test_what_is_shown_is_rounded_down_and_never_up_to_a_hundred(down: str, shown: str) -> None:
    lost = timedelta(seconds=float(down))
    hours = Totals(timedelta(seconds=10_000), {"major_outage": lost, "operational": timedelta(seconds=10_000) - lost})
    assert uptime.percentage_text(hours.percentage(WEIGHTS)) == shown


def test_a_group_is_the_mean_of_those_members_that_have_data() -> None:
    assert uptime.mean([Decimal("99.9"), None, Decimal(100), Decimal("99.9999")]) == Decimal("99.9666")
    assert uptime.mean([None]) is None
    assert uptime.mean([]) is None


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2024, 3, 31), 23),
        ("Europe/Berlin", date(2024, 10, 27), 25),
        ("Europe/Berlin", date(2024, 10, 28), 24),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # the clock jumps from midnight to one
        ("America/Havana", date(2024, 11, 3), 25),  # midnight comes twice
        ("Australia/Lord_Howe", date(2024, 4, 7), 24.5),
        ("Pacific/Apia", date(2011, 12, 30), 0),  # the day that Samoa skipped
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(zone: str, day: date, hours: float) -> None:
    (uptime_day,) = uptime.days([Interval("operational", at(-1e6))], day, day, ZoneInfo(zone), until=at(1e5))
    assert uptime_day.end - uptime_day.start == hours * HOUR
    assert uptime_day.totals.known == hours * HOUR


def test_a_day_has_its_worst_status_and_how_long_it_had_each() -> None:
    zone = ZoneInfo("Etc/UTC")
    history = [
        Interval("operational", at(-24), at(6)),
        Interval("partial_outage", at(6), at(7)),
        Interval("degraded_performance", at(7), at(13)),
        Interval("operational", at(13)),
    ]
    first, second = uptime.days(history, date(2024, 5, 1), date(2024, 5, 2), zone, until=at(100))
    assert (first.totals.worst, second.totals.worst) == ("partial_outage", "degraded_performance")
    assert first.totals.lasted == {
        "operational": 18 * HOUR, "partial_outage": HOUR, "degraded_performance": 5 * HOUR,
    }  # fmt: skip
    assert second.totals.lasted["degraded_performance"] == HOUR


def test_a_day_before_the_history_and_one_to_come_have_no_data() -> None:
    zone = ZoneInfo("Etc/UTC")
    days = uptime.days([Interval("operational", at(0))], date(2024, 4, 30), date(2024, 5, 3), zone, until=at(20))
    assert [day.totals.worst for day in days] == [None, "operational", "operational", None]
    assert [day.totals.no_data for day in days] == [24 * HOUR, 12 * HOUR, 16 * HOUR, 24 * HOUR]


def test_equal_days_in_a_row_are_one_run() -> None:
    days = [None, None, "operational", "major_outage", "operational", "operational"]
    assert uptime.runs(days) == {"": [(0, 2)], "operational": [(2, 1), (4, 2)], "major_outage": [(3, 1)]}
    assert uptime.runs([]) == {}
