from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incidents.reporting.periods import Period

BERLIN = ZoneInfo("Europe/Berlin")


def parsed(code: str) -> Period:
    period = Period.parse(code)
    assert period is not None
    return period


@pytest.mark.parametrize("code", ["2026-01", "2026-12", "2026-Q1", "2026-Q4", "1990-Q3"])
def test_a_code_is_read_and_written_the_same(code: str) -> None:
    assert parsed(code).code == code


@pytest.mark.parametrize(
    "code",
    ["", "2026", "2026-13", "2026-00", "2026-1", "2026-Q5", "2026-q1", "2026-10 ", "0001-01", "9999-12", "২০২৬-10"],
)
def test_what_is_no_period_is_none(code: str) -> None:
    assert Period.parse(code) is None


def test_a_quarter_is_three_months_and_a_month_knows_its_quarter() -> None:
    fourth = parsed("2026-Q4")
    assert (fourth.first, fourth.last) == (date(2026, 10, 1), date(2026, 12, 31))
    assert [month.code for month in fourth.months()] == ["2026-10", "2026-11", "2026-12"]
    assert {month.quarter for month in fourth.months()} == {fourth}
    assert (fourth.label, fourth.months()[0].label) == ("Q4 2026", "October 2026")


def test_periods_follow_each_other_across_the_year() -> None:
    assert parsed("2026-12").next.code == "2027-01"
    assert parsed("2026-01").previous.code == "2025-12"
    assert parsed("2026-Q1").previous.code == "2025-Q4"


@pytest.mark.parametrize(("code", "hours"), [("2026-03", 743), ("2026-10", 745), ("2026-05", 744), ("2026-Q4", 2209)])
def test_a_period_is_as_long_as_the_clocks_of_its_zone_make_it(code: str, hours: int) -> None:
    start, end = parsed(code).window(BERLIN)
    assert end - start == timedelta(hours=hours)


def test_a_month_begins_at_midnight_of_the_zone() -> None:
    assert parsed("2026-10").window(BERLIN)[0] == datetime(2026, 9, 30, 22, tzinfo=UTC)
    assert Period.month_at(datetime(2026, 9, 30, 22, tzinfo=UTC), BERLIN).code == "2026-10"
    assert Period.month_at(datetime(2026, 9, 30, 21, 59, tzinfo=UTC), BERLIN).code == "2026-09"


def test_days_are_all_of_them() -> None:
    assert [day.day for day in parsed("2028-02").days()] == list(range(1, 30))
