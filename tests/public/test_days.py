from datetime import UTC, date, datetime

import pytest

from incidents.models import Page
from statuspage.public.page_state import PageState, page_state
from tests.factories import make_page, make_resolved

pytestmark = pytest.mark.django_db


def utc(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2024, month, day, hour, minute, tzinfo=UTC)


def day_of(state: PageState, title: str) -> date:
    (match,) = [day.date for day in state.days for incident in day.incidents if incident.title == title]
    return match


def resolved(page: Page, title: str, until: datetime) -> None:
    make_resolved(page, title=title, at=datetime(2024, 2, 1, tzinfo=UTC), until=until)


def test_midnight_is_that_of_the_pages_zone() -> None:
    page = make_page(time_zone="Asia/Kolkata")
    resolved(page, "before", utc(12, 18, 29))
    resolved(page, "after", utc(12, 18, 30))
    state = page_state(page, now=utc(13, 12))
    assert [day_of(state, "before"), day_of(state, "after")] == [date(2024, 3, 12), date(2024, 3, 13)]


def test_the_first_day_is_today_in_the_pages_zone() -> None:
    page = make_page(time_zone="Pacific/Auckland")
    assert page_state(page, now=utc(12, 12)).days[0].date == date(2024, 3, 13)


def test_the_night_that_loses_an_hour_splits_at_its_own_midnight() -> None:
    page = make_page(time_zone="Europe/Berlin")
    resolved(page, "Saturday", utc(30, 22, 59))
    resolved(page, "Sunday", utc(30, 23))
    resolved(page, "still Sunday", utc(31, 21, 59))
    resolved(page, "Monday", utc(31, 22))
    state = page_state(page, now=utc(1, 12, month=4))
    days = [day_of(state, title).day for title in ("Saturday", "Sunday", "still Sunday", "Monday")]
    assert days == [30, 31, 31, 1]


def test_the_night_that_gains_an_hour_stays_one_day() -> None:
    page = make_page(time_zone="Europe/Berlin")
    resolved(page, "first", utc(26, 22, month=10))
    resolved(page, "last", utc(27, 22, 59, month=10))
    state = page_state(page, now=utc(28, 12, month=10))
    assert [day_of(state, "first"), day_of(state, "last")] == [date(2024, 10, 27), date(2024, 10, 27)]


def test_fifteen_days_are_listed_without_gap_across_the_change_of_clocks() -> None:
    page = make_page(time_zone="Europe/Berlin")
    days = [day.date.toordinal() for day in page_state(page, now=utc(5, 12, month=4)).days]
    assert days == list(range(days[0], days[0] - 15, -1))


def test_the_oldest_listed_day_begins_at_its_local_midnight() -> None:
    page = make_page(time_zone="America/New_York")
    resolved(page, "too old", utc(10, 4, 59))
    resolved(page, "just listed", utc(10, 5))
    state = page_state(page, now=utc(24, 12))
    listed = [incident.title for day in state.days for incident in day.incidents]
    assert (listed, state.days[-1].date) == (["just listed"], date(2024, 3, 10))
