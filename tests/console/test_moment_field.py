"""Times as people type them: in the page's zone unless they say otherwise, and never two meanings."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from statuspage.console.fields import MomentField

BERLIN = ZoneInfo("Europe/Berlin")


def read(text: str, zone: str = "Europe/Berlin") -> Any:
    return MomentField(ZoneInfo(zone)).clean(text)


def complaint(text: str, zone: str = "Europe/Berlin") -> str:
    with pytest.raises(ValidationError) as refused:
        read(text, zone)
    return " ".join(refused.value.messages)


@pytest.mark.parametrize("text", ["", "   ", None])
def test_nothing_means_no_time_was_given(text: Any) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2022-09-21 14:14", datetime(2022, 9, 21, 12, 14, tzinfo=UTC)),
        ("2022-12-21 14:14", datetime(2022, 12, 21, 13, 14, tzinfo=UTC)),
        ("2022-09-21T14:14:59", datetime(2022, 9, 21, 12, 14, 59, tzinfo=UTC)),
        ("2022-09-21", datetime(2022, 9, 20, 22, 0, tzinfo=UTC)),
        ("2022-09-21T14:14Z", datetime(2022, 9, 21, 14, 14, tzinfo=UTC)),
        ("2022-09-21 07:14-07:00", datetime(2022, 9, 21, 14, 14, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_the_zone_unless_it_names_another(text: str, meant: datetime) -> None:
    assert read(text) == meant


@pytest.mark.parametrize("text", ["noon", "21.09.2022 14:14", "2022-13-01 10:00", "14:14", "2022-09-21 14:60", "７"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    assert complaint(text) == "Enter a time in the page's time zone. Example: 2026-01-31 14:05"


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-03-29 02:00", "Europe/Berlin"),
        ("2026-03-29 02:59", "Europe/Berlin"),
        ("2026-03-08 02:30", "America/New_York"),
        ("2011-12-30 12:00", "Pacific/Apia"),
    ],
)
def test_an_hour_that_the_clocks_skipped_is_refused(text: str, zone: str) -> None:
    assert "does not exist on" in complaint(text, zone)
    assert zone in complaint(text, zone)


@pytest.mark.parametrize(
    ("text", "zone", "first", "second"),
    [
        ("2025-10-26 02:00", "Europe/Berlin", "2025-10-26T02:00+0200", "2025-10-26T02:00+0100"),
        ("2025-10-26 02:59", "Europe/Berlin", "2025-10-26T02:59+0200", "2025-10-26T02:59+0100"),
        ("2025-04-06 01:45", "Australia/Lord_Howe", "2025-04-06T01:45+1100", "2025-04-06T01:45+1030"),
    ],
)
def test_an_hour_that_came_twice_is_asked_about_and_both_answers_are_understood(
    text: str, zone: str, first: str, second: str
) -> None:
    assert complaint(text, zone).endswith(f"Enter {first} or {second}.")
    assert read(first, zone) < read(second, zone)


@pytest.mark.parametrize("text", ["2026-03-29 01:59", "2026-03-29 03:00", "2025-10-26 01:59", "2025-10-26 03:00"])
def test_the_minutes_around_a_change_of_the_clocks_are_plain(text: str) -> None:
    assert f"{read(text).astimezone(BERLIN):%Y-%m-%d %H:%M}" == text


@pytest.mark.parametrize(
    "text", ["0001-01-01 00:00", "0001-01-01T00:00+23:59", "1900-12-31 23:59", "9999-12-31 23:59Z"]
)
def test_years_in_which_nothing_happened_are_refused(text: str) -> None:
    assert "Enter a year between 1900 and 9000." in complaint(text)


ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"]
SECONDS = st.integers(min_value=631_152_000, max_value=2_145_916_800)  # 1990 to 2037


@settings(deadline=None)
@given(SECONDS, st.sampled_from(ZONES))
def test_any_time_is_understood_as_it_is_shown_or_asked_about(seconds: int, name: str) -> None:
    shown = f"{datetime.fromtimestamp(seconds, ZoneInfo(name)):%Y-%m-%d %H:%M:%S}"
    try:
        understood = read(shown, name)
    except ValidationError as error:
        if "occurs twice" not in " ".join(error.messages):
            raise
    else:
        assert understood == datetime.fromtimestamp(seconds, UTC)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    try:
        understood = read(text)
    except ValidationError:
        return
    assert understood is None or understood.tzinfo
