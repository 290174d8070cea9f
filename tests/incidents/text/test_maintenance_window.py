"""When a maintenance is, as people read it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incidents.text.maintenance_window import days_until, window_parts

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 10, 24, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "hours", "zone", "text"),
    [
        (START, 2, "Europe/Berlin", "Oct 24, 02:00 – 04:00 CEST"),
        (START, 2, "America/St_Johns", "Oct 23, 21:30 – 23:30 NDT"),
        (START, 2, "Asia/Kathmandu", "Oct 24, 05:45 – 07:45 +0545"),
        (START, 2, "Pacific/Auckland", "Oct 24, 13:00 – 15:00 NZDT"),
        (START, 24, "Europe/Berlin", "Oct 24, 02:00 – Oct 25, 02:00 CEST"),
        (START + timedelta(hours=23), 4, "Europe/Berlin", "Oct 25, 01:00 CEST – 04:00 CET"),
    ],
)
def test_a_window_is_read_in_its_zone(start: datetime, hours: int, zone: str, text: str) -> None:
    assert " – ".join(window_parts(start, start + timedelta(hours=hours), ZoneInfo(zone))) == text


def test_a_window_can_say_its_year() -> None:
    end = datetime(2027, 1, 1, 1, tzinfo=UTC)
    parts = window_parts(datetime(2026, 12, 31, 22, tzinfo=UTC), end, BERLIN, year=True)
    assert parts == ("Dec 31, 2026, 23:00", "Jan 01, 2027, 02:00 CET")


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 10, 20), "in 4 days"),
        (date(2026, 10, 23), "tomorrow"),
        (date(2026, 10, 24), "today"),
        (date(2026, 10, 25), ""),
    ],
)
def test_the_days_until_it_are_counted_on_the_calendar_of_the_page(today: date, expected: str) -> None:
    assert days_until(START - timedelta(hours=1), today, BERLIN) == expected
