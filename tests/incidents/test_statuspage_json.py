"""Times and small rules of Statuspage's JSON (contract sections 1.3 and 5)."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.statuspage_json import format_time

SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d\d:\d\d)")
MOMENTS = st.datetimes(datetime(1850, 1, 1), datetime(2400, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(ZoneInfo)


@settings(max_examples=300, deadline=None)
@given(MOMENTS, ZONES)
def test_a_time_has_three_digits_and_a_zone_and_is_the_same_instant(moment: datetime, zone: ZoneInfo) -> None:
    text = format_time(moment, zone)
    assert SHAPE.fullmatch(text), text
    back = datetime.fromisoformat(text)
    assert timedelta() <= moment - back < timedelta(milliseconds=1)


@settings(max_examples=300, deadline=None)
@given(MOMENTS, ZONES)
def test_its_offset_is_the_zones_at_that_instant(moment: datetime, zone: ZoneInfo) -> None:
    offset = moment.astimezone(zone).utcoffset()
    formatted_offset = datetime.fromisoformat(format_time(moment, zone)).utcoffset()
    assert offset is not None
    assert formatted_offset is not None
    assert timedelta() <= offset - formatted_offset < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Etc/UTC", "2024-07-01T12:00:00.999Z"),
        ("UTC", "2024-07-01T12:00:00.999Z"),
        ("Europe/Zurich", "2024-07-01T14:00:00.999+02:00"),
        ("America/St_Johns", "2024-07-01T09:30:00.999-02:30"),
        ("Asia/Kathmandu", "2024-07-01T17:45:00.999+05:45"),
        ("Africa/Abidjan", "2024-07-01T12:00:00.999+00:00"),
    ],
)
def test_zones_with_whole_half_and_quarter_hours(zone: str, expected: str) -> None:
    # 999.9 ms: cut off. Rounded, it would be the next second.
    assert format_time(datetime(2024, 7, 1, 12, 0, 0, 999_900, tzinfo=UTC), ZoneInfo(zone)) == expected


def test_london_is_at_z_never_but_at_zero_in_winter_and_at_one_in_summer() -> None:
    london = ZoneInfo("Europe/London")
    assert format_time(datetime(2024, 1, 1, tzinfo=UTC), london) == "2024-01-01T00:00:00.000+00:00"
    assert format_time(datetime(2024, 7, 1, tzinfo=UTC), london) == "2024-07-01T01:00:00.000+01:00"


def test_an_offset_with_seconds_keeps_the_instant() -> None:
    # Monrovia was 44 minutes and 30 seconds behind until 1972.
    moment = datetime(1971, 6, 1, 12, tzinfo=UTC)
    assert datetime.fromisoformat(format_time(moment, ZoneInfo("Africa/Monrovia"))) == moment
