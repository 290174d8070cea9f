from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.actions.components import component_lifecycle
from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Page
from tests.console.staff import fields_of, parsed_page
from tests.factories import ALICE, make_component, make_incident, make_maintenance, make_page, make_resolved, post

pytestmark = pytest.mark.django_db

START = datetime(2022, 9, 21, 14, 14, tzinfo=UTC)


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


def titles(client: Client, query: str = "") -> list[str]:
    document = parsed_page(client.get(f"/console/p/acme/incidents{query}"))
    return [row.one("a").text for body in document.all("tbody") for row in body.all("tr")]


def test_an_empty_list_explains_what_to_do(editor: Client) -> None:
    document = parsed_page(editor.get("/console/p/acme/incidents"))
    assert "No incidents yet." in document.text
    assert document.one("a", class_="primary").attributes["href"] == "/console/p/acme/incidents/new"


def test_incidents_are_ordered_by_their_last_update(editor: Client, page: Page) -> None:
    make_resolved(page, title="Older", at=START, until=START + timedelta(days=3))
    make_resolved(page, title="Newer", at=START + timedelta(days=1), until=START + timedelta(days=2))
    make_incident(page, title="Open")
    assert titles(editor) == ["Open", "Older", "Newer"]
    text = parsed_page(editor.get("/console/p/acme/incidents")).text
    assert "Sep 24, 2022 - 16:14 CEST" in text


def test_only_the_open_ones_can_be_listed(editor: Client, page: Page) -> None:
    assert "No open incidents." in parsed_page(editor.get("/console/p/acme/incidents?show=open")).text
    make_resolved(page)
    make_incident(page, title="Open")
    assert titles(editor, "?show=open") == ["Open"]
    tabs = parsed_page(editor.get("/console/p/acme/incidents?show=open")).one("nav", class_="tabs").all("a")
    assert [tab.text for tab in tabs if "aria-current" in tab.attributes] == ["Open"]


def test_staff_see_hidden_incidents_marked_as_hidden(editor: Client, page: Page) -> None:
    actions.hide(make_incident(page, title="Mistake"), actor=ALICE, reason="Wrong page")
    assert titles(editor) == ["Mistake"]
    assert "hidden" in parsed_page(editor.get("/console/p/acme/incidents")).one("tbody").text
    code = page.incidents.get().public_id
    document = parsed_page(editor.get(f"/console/p/acme/incidents/{code}"))
    assert "hidden from visitors" in document.text
    assert not document.all("a", href=f"/incidents/{code}")


def test_another_page_of_the_install_is_not_listed(editor: Client) -> None:
    make_incident(make_page(name="Other"), title="Theirs")
    assert titles(editor) == []


@pytest.mark.parametrize("number", ["0", "-1", "999", "abc", ""])
def test_a_page_number_that_does_not_exist_shows_one_that_does(editor: Client, page: Page, number: str) -> None:
    make_incident(page, title="Only")
    assert titles(editor, f"?page={number}") == ["Only"]


def test_a_long_list_is_paginated_with_a_constant_number_of_queries(editor: Client, page: Page) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            editor.get("/console/p/acme/incidents")
        return len(captured)

    make_incident(page, title="Last")
    before = queries()
    for number in range(60):
        make_incident(page, title=f"Incident {number}")
    assert queries() == before <= 8
    assert len(titles(editor)) == 50
    older = (
        parsed_page(editor.get("/console/p/acme/incidents?show=open"))
        .one("nav", class_="pager")
        .one("a")
        .attributes["href"]
    )
    assert older == "?page=2&show=open"
    assert titles(editor, older)[-1] == "Last"
    assert len(titles(editor, older)) == 11


def test_a_title_is_shown_as_text(editor: Client, page: Page) -> None:
    make_incident(page, title="<b>Bold</b> & “quoted”")
    assert titles(editor) == ["<b>Bold</b> & “quoted”"]


def test_incidents_and_maintenances_can_be_listed_apart(editor: Client, page: Page) -> None:
    make_incident(page, title="API outage")
    make_maintenance(page, title="Database upgrade")
    assert set(titles(editor)) == {"API outage", "Database upgrade"}
    assert titles(editor, "?show=incidents") == ["API outage"]
    assert titles(editor, "?show=maintenance") == ["Database upgrade"]
    assert titles(editor, "?show=open") == ["API outage"]
    assert len(titles(editor, "?show=nonsense")) == 2


def test_the_list_of_maintenances_shows_their_times_and_links_to_scheduling(editor: Client, page: Page) -> None:
    empty = parsed_page(editor.get("/console/p/acme/incidents?show=maintenance"))
    assert "No maintenance is scheduled yet." in empty.text
    assert empty.one("a", class_="primary").attributes["href"] == "/console/p/acme/maintenances/new"
    begins = datetime(2029, 10, 24, 0, 0, tzinfo=UTC)
    make_maintenance(page, begins=begins)
    assert (
        "Oct 24, 2029, 02:00 – 04:00 CEST" in parsed_page(editor.get("/console/p/acme/incidents?show=maintenance")).text
    )


def test_a_filter_stays_on_the_next_page(editor: Client, page: Page) -> None:
    for _ in range(51):
        make_maintenance(page)
    links = [
        a.attributes["href"] for a in parsed_page(editor.get("/console/p/acme/incidents?show=maintenance")).all("a")
    ]
    assert "?page=2&show=maintenance" in links


def test_the_search_finds_titles_and_public_ids(editor: Client, page: Page) -> None:
    slow = make_incident(page, title="Slow search in Dublin")
    make_incident(page, title="Search is down")
    assert set(titles(editor, "?q=search")) == {"Slow search in Dublin", "Search is down"}
    assert titles(editor, "?q=dublin+SEARCH") == ["Slow search in Dublin"]
    assert titles(editor, f"?q={slow.public_id}") == ["Slow search in Dublin"]
    assert titles(editor, "?q=100%25") == []


def test_status_and_impact_filter_the_list_and_canceled_is_not_completed(editor: Client, page: Page) -> None:
    part = make_component(page)
    make_incident(page, title="Open", components={part: "major_outage"})
    make_resolved(page, title="Over")
    over = make_maintenance(page, title="Called off")
    maintenance_lifecycle.cancel(over, UpdateInput(body="Not today."), actor=ALICE)
    assert titles(editor, "?status=resolved") == ["Over"]
    assert titles(editor, "?impact=critical") == ["Open"]
    assert titles(editor, "?status=cancelled") == ["Called off"]
    assert titles(editor, "?status=completed") == []
    assert titles(editor, "?show=open&status=resolved") == []


def test_the_component_filter_includes_archived_components(editor: Client, page: Page) -> None:
    part, other = make_component(page, "Queue"), make_component(page, "Search")
    incident = make_incident(page, title="Queue is stuck", components={part: "partial_outage"})
    post(incident, components={part: "major_outage"})
    make_incident(page, title="Search is slow", components={other: "partial_outage"})
    query = f"?component={part.public_id}"
    assert titles(editor, query) == ["Queue is stuck"]
    form = parsed_page(editor.get(f"/console/p/acme/incidents{query}")).one("form", class_="list-filter")
    assert fields_of(form)["component"] == [part.public_id]
    component_lifecycle.set_archived(part, archived=True, actor=ALICE)
    assert titles(editor, query) == ["Queue is stuck"]


def test_days_are_those_of_the_page_on_which_it_began_or_will(editor: Client, page: Page) -> None:
    at = datetime(2022, 9, 21, 22, 30, tzinfo=UTC)  # 00:30 on the 22nd in Berlin
    make_resolved(page, title="Past midnight", at=at, until=at + timedelta(days=2))
    make_maintenance(page, title="Ahead", begins=datetime(2029, 10, 24, tzinfo=UTC))
    assert titles(editor, "?since=2022-09-22&until=2022-09-22") == ["Past midnight"]
    assert titles(editor, "?until=2022-09-21") == []
    assert titles(editor, "?since=2022-09-23") == ["Ahead"]
    assert titles(editor, "?since=2029-10-24&until=2029-10-24&show=maintenance") == ["Ahead"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("since=soon", "Enter a date. Example: 2026-01-31"),
        ("until=0001-01-01", "Enter a year between 1900 and 9000."),
        ("until=9999-12-31", "Enter a year between 1900 and 9000."),
        ("since=2022-09-22&until=2022-09-21", "The end date must be on or after the start date."),
        ("status=nonsense", "Select a valid choice."),
        ("component=nosuchcode12", "Select a valid choice."),
    ],
)
def test_an_invalid_filter_is_reported_and_the_others_apply(
    editor: Client, page: Page, query: str, expected: str
) -> None:
    make_incident(page, title="Search is down")
    make_incident(page, title="Queue is stuck")
    answer = editor.get(f"/console/p/acme/incidents?show=open&q=search&{query}")
    document = parsed_page(answer)
    assert answer.status_code == 422
    assert expected in document.one("div", role="alert").text
    assert titles(editor, f"?show=open&q=search&{query}") == ["Search is down"]
    typed = fields_of(document.one("form", class_="list-filter"))
    assert (typed["show"], typed["q"]) == (["open"], ["search"])
    assert "open" in document.one("form", class_="list-filter").one("details").attributes


def test_a_filter_is_kept_across_tabs_and_pages_and_can_be_cleared(editor: Client, page: Page) -> None:
    for number in range(51):
        make_incident(page, title=f"Search & find {number}")
    document = parsed_page(editor.get("/console/p/acme/incidents?show=open&q=search+%26&impact=none&junk=1"))
    assert "51 results" in document.text
    query = "q=search+%26&impact=none"
    assert document.one("a", rel="next").attributes["href"] == f"?page=2&show=open&{query}"
    tabs = [a.attributes["href"] for a in document.one("nav", class_="tabs").all("a")]
    assert tabs[0] == f"/console/p/acme/incidents?{query}"
    assert tabs[2] == f"/console/p/acme/incidents?show=incidents&{query}"
    assert (
        document.one("form", class_="list-filter").one("a").attributes["href"] == "/console/p/acme/incidents?show=open"
    )
    assert len(titles(editor, f"?page=2&show=open&{query}")) == 1


def test_an_empty_result_explains_the_search(editor: Client, page: Page) -> None:
    make_resolved(page, title="Search is down")
    document = parsed_page(editor.get("/console/p/acme/incidents?show=open&q=search"))
    assert "No open incidents match these filters." in document.text
    assert "The search finds titles that contain every word" in document.text
    (wider,) = document.all("a", href="/console/p/acme/incidents?q=search")[-1:]
    assert wider.text == "Search all incidents"
    everywhere = parsed_page(editor.get("/console/p/acme/incidents?q=nosuchword"))
    assert "Clear filters" in everywhere.text


def test_a_filter_costs_one_query_more_however_many_there_are(editor: Client, page: Page) -> None:
    parts = [make_component(page, f"Part {number}") for number in range(30)]
    for number in range(20):
        make_incident(page, title=f"Incident {number}", components={parts[number]: "partial_outage"})
    query = f"q=incident&status=investigating&impact=major&since=2020-01-01&component={parts[3].public_id}"
    with CaptureQueriesContext(connection) as captured:
        assert titles(editor, f"?{query}") == ["Incident 3"]
    assert len(captured) <= 9
