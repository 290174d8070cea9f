"""How people say when a maintenance ends: a time, a time of day, or how long it takes."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from statuspage.console.maintenances.window_fields import EndField, as_typed, length_of

BERLIN = ZoneInfo("Europe/Berlin")
FIELD = EndField(BERLIN)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def end_of(start: str, typed: str) -> str:
    return f"{FIELD.after(berlin(start), FIELD.clean(typed)).astimezone(BERLIN):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("2 h", 120),
        ("2h", 120),
        ("90 min", 90),
        ("90m", 90),
        ("1 h 30 min", 90),
        ("1h30m", 90),
        ("1.5 hours", 90),
        ("1,5 h", 90),
        ("2 days", 2880),
        ("1 day, 2 hours", 1560),
        ("0 h", 0),
    ],
)
def test_durations_are_parsed_in_common_formats(text: str, minutes: int) -> None:
    assert length_of(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text", ["", "2", "h", "two hours", "2 weeks", "2 h later", "04:00", "2026-10-24 04:00", "-2 h"]
)
def test_text_that_is_not_a_duration_is_none(text: str) -> None:
    assert length_of(text) is None


@pytest.mark.parametrize(
    ("start", "typed", "end"),
    [
        ("2026-10-24 02:00", "2 h", "2026-10-24 04:00"),
        ("2026-10-24 02:00", "04:00", "2026-10-24 04:00"),
        ("2026-10-24 22:00", "4:00", "2026-10-25 04:00"),
        ("2026-10-24 02:00", "2026-10-24 04:00", "2026-10-24 04:00"),
        ("2026-10-24 02:00", "2026-10-24T02:00Z", "2026-10-24 04:00"),
        # That night has 25 hours: four hours are four hours, and four o'clock is four o'clock.
        ("2026-10-25 01:00", "4 h", "2026-10-25 04:00"),
        ("2026-10-25 01:00", "04:00", "2026-10-25 04:00"),
    ],
)
def test_an_end_is_counted_from_the_start(start: str, typed: str, end: str) -> None:
    assert end_of(start, typed) == end


def test_a_length_is_real_time_across_a_change_of_the_clocks() -> None:
    start = berlin("2026-10-24 02:00")
    assert FIELD.after(start, FIELD.clean("48 h")) - start == timedelta(hours=48)
    assert end_of("2026-10-24 02:00", "48 h") == "2026-10-26 01:00"


@pytest.mark.parametrize("text", ["noon", "2", "24:00", "2 weeks", "24.10.2026 04:00"])
def test_an_invalid_end_is_rejected_with_examples(text: str) -> None:
    with pytest.raises(ValidationError, match="a time of day \\(04:00\\), or a duration \\(2 h, 90 min\\)"):
        FIELD.clean(text)


def test_a_time_of_day_that_the_clocks_skip_is_refused() -> None:
    with pytest.raises(ValidationError, match="02:30 does not exist on Mar"):
        FIELD.after(berlin("2026-03-29 01:00"), time(2, 30))


@settings(deadline=None)
@given(
    st.integers(min_value=631_152_000, max_value=2_145_916_800),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_a_time_put_into_a_field_is_read_as_itself(seconds: int, name: str) -> None:
    zone = ZoneInfo(name)
    moment = datetime.fromtimestamp(seconds - seconds % 60, UTC)
    assert EndField(zone).clean(as_typed(moment, zone)) == moment


def test_a_time_that_comes_twice_is_put_there_with_its_offset() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert as_typed(first, BERLIN) == "2026-10-25T02:30+0200"
    assert as_typed(first + timedelta(hours=1), BERLIN) == "2026-10-25T02:30+0100"
    assert as_typed(first + timedelta(hours=2), BERLIN) == "2026-10-25 03:30"


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    try:
        understood: Any = FIELD.clean(text)
    except ValidationError:
        return
    assert understood is None or isinstance(understood, datetime | timedelta | time)
