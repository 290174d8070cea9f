from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.models import Incident, IncidentUpdate, Page
from incidents.models.states import Status
from statuspage.public.history import History, history_page
from statuspage.public.json.history import history_body
from tests.factories import make_incident, make_page, make_resolved
from tests.public.parsed_page import get, read

pytestmark = pytest.mark.django_db

NOW = datetime(2024, 3, 20, 12, tzinfo=UTC)


def happened(page: Page, title: str, year: int, month: int, day: int, hour: int) -> Incident:
    moment = datetime(year, month, day, hour, tzinfo=UTC)
    return make_resolved(page, title=title, at=moment, until=moment + timedelta(hours=1))


def listed(page: Page, number: int) -> dict[str, list[str]]:
    history = history_page(page, number, now=NOW)
    assert history
    return {f"{month.first:%Y-%m}": [entry.incident.title for entry in month.entries] for month in history.months}


def neighbours(history: History | None) -> tuple[int | None, int | None]:
    assert history
    return history.newer, history.older


def test_three_months_stand_on_a_page_newest_first_and_empty_ones_too() -> None:
    page = make_page()
    happened(page, "early March", 2024, 3, 1, 9)
    happened(page, "late March", 2024, 3, 19, 9)
    happened(page, "January", 2024, 1, 5, 9)
    happened(page, "December", 2023, 12, 31, 22)
    assert listed(page, 1) == {"2024-03": ["late March", "early March"], "2024-02": [], "2024-01": ["January"]}
    assert listed(page, 2) == {"2023-12": ["December"], "2023-11": [], "2023-10": []}


def test_a_month_begins_at_midnight_of_the_pages_zone() -> None:
    page = make_page(time_zone="America/New_York")
    happened(page, "still February", 2024, 3, 1, 4)
    happened(page, "March", 2024, 3, 1, 5)
    assert listed(page, 1) == {"2024-03": ["March"], "2024-02": ["still February"], "2024-01": []}


def test_pages_reach_back_to_the_first_incident_and_no_further() -> None:
    page = make_page()
    happened(page, "first", 2023, 9, 30, 9)
    assert neighbours(history_page(page, 1, now=NOW)) == (None, 2)
    assert neighbours(history_page(page, 2, now=NOW)) == (1, 3)
    assert neighbours(history_page(page, 3, now=NOW)) == (2, None)
    assert history_page(page, 4, now=NOW) is None


def test_an_entry_has_title_impact_time_duration_and_the_last_message_in_short() -> None:
    page = make_page()
    happened(page, "It broke", 2024, 3, 1, 9)
    history = history_page(page, 1, now=NOW)
    assert history
    assert "<p>This incident has been resolved.</p>" in history.months[0].entries[0].article
    make_incident(page, title="It breaks", body="Look:\n\n- **one** & two\n- " + "three " * 100)
    (entry,) = [entry for entry in read("/history").all("article", class_="entry") if "It breaks" in entry.text]
    message = entry.all("p")[-1].text
    assert message.startswith("Look: one & two three")
    assert len(message) == 240
    assert "No impact" in entry.text
    assert "Investigating, ongoing" in entry.text


@pytest.mark.parametrize("number", ["0", "-1", "2", "x", "", "9" * 5000, "٣"])
def test_a_page_number_that_does_not_exist_is_not_found(number: str) -> None:
    make_page()
    assert get(f"/history?page={number}").status_code == 404


def test_a_page_with_no_history_yet_has_three_quiet_months() -> None:
    make_page()
    history = read("/history")
    assert history.text.count("No incidents reported.") == 3
    assert not history.all("nav", aria_label="Months")


def test_the_months_are_linked_to_their_neighbours() -> None:
    page = make_page()
    then = timezone.now() - timedelta(days=250)
    make_resolved(page, at=then, until=then + timedelta(hours=1))
    links = {
        link.attributes["rel"]: link.attributes["href"]
        for link in read("/history/2").one("nav", aria_label="Months").all("a")
    }
    assert links == {"prev": "/history", "next": "/history/3"}


def test_every_page_of_the_history_has_one_address_of_its_own_and_names_it() -> None:
    page = make_page()
    then = timezone.now() - timedelta(days=250)
    make_resolved(page, at=then, until=then + timedelta(hours=1))
    for path, own in (("/history/2", "/history/2"), ("/history?page=2", "/history/2"), ("/history/1", "/history")):
        assert read(path).one("link", rel="canonical").attributes["href"].endswith(f"8000{own}"), path
    assert read("/history?page=2").one("main").text == read("/history/2").one("main").text
    read("/history/99", status=404)


def test_ten_thousand_incidents_cost_no_more_queries_and_only_their_months_are_read() -> None:
    page = make_page()
    incidents = Incident.objects.bulk_create(
        Incident(
            page=page,
            title=f"Incident {number}",
            status=Status.RESOLVED,
            started_at=NOW - timedelta(days=number),
            last_update_at=NOW - timedelta(days=number),
            resolved_at=NOW - timedelta(days=number),
        )
        for number in range(10_000)
    )
    IncidentUpdate.objects.bulk_create(
        IncidentUpdate(incident=i, status=i.status, body="Done.", body_html="<p>Done.</p>", display_at=i.started_at)
        for i in incidents
    )
    with CaptureQueriesContext(
        connection,
    ) as queries:
        history = history_page(page, 2, now=NOW)
        assert history
        history_body(page, history)
    assert len(queries) == 4, "what the page and its JSON need together"
    assert sum(len(month.entries) for month in history.months) == 31 + 30 + 31
