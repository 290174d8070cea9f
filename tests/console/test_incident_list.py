from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.actions import incidents as actions
from incidents.models import Page
from tests.console.staff import sheet, signed_in
from tests.factories import ALICE, make_incident, make_maintenance, make_page, make_resolved

pytestmark = pytest.mark.django_db

START = datetime(2022, 9, 21, 14, 14, tzinfo=UTC)


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor")


def titles(client: Client, query: str = "") -> list[str]:
    document = sheet(client.get(f"/console/incidents{query}"))
    return [row.one("a").text for body in document.all("tbody") for row in body.all("tr")]


def test_an_empty_list_says_what_to_do(editor: Client) -> None:
    document = sheet(editor.get("/console/incidents"))
    assert "No incident has been declared yet." in document.text
    assert document.one("a", class_="primary").attributes["href"] == "/console/incidents/new"


def test_incidents_stand_by_their_last_update_newest_first(editor: Client, page: Page) -> None:
    make_resolved(page, title="Older", at=START, until=START + timedelta(days=3))
    make_resolved(page, title="Newer", at=START + timedelta(days=1), until=START + timedelta(days=2))
    make_incident(page, title="Open")
    assert titles(editor) == ["Open", "Older", "Newer"]
    text = sheet(editor.get("/console/incidents")).text
    assert "Sep 24, 2022 - 16:14 CEST" in text


def test_only_the_open_ones_can_be_listed(editor: Client, page: Page) -> None:
    assert "Nothing is open." in sheet(editor.get("/console/incidents?show=open")).text
    make_resolved(page)
    make_incident(page, title="Open")
    assert titles(editor, "?show=open") == ["Open"]
    tabs = sheet(editor.get("/console/incidents?show=open")).one("nav", class_="tabs").all("a")
    assert [tab.text for tab in tabs if "aria-current" in tab.attributes] == ["Open"]


def test_staff_see_what_is_hidden_from_visitors_and_that_it_is(editor: Client, page: Page) -> None:
    actions.hide(make_incident(page, title="Mistake"), actor=ALICE, reason="Wrong page")
    assert titles(editor) == ["Mistake"]
    assert "hidden" in sheet(editor.get("/console/incidents")).one("tbody").text
    code = page.incidents.get().public_id
    document = sheet(editor.get(f"/console/incidents/{code}"))
    assert "hidden from visitors" in document.text
    assert not document.all("a", href=f"/incidents/{code}")


def test_another_page_of_the_install_is_not_listed(editor: Client) -> None:
    make_incident(make_page(name="Other"), title="Theirs")
    assert titles(editor) == []


@pytest.mark.parametrize("number", ["0", "-1", "999", "abc", ""])
def test_a_page_number_that_does_not_exist_shows_one_that_does(editor: Client, page: Page, number: str) -> None:
    make_incident(page, title="Only")
    assert titles(editor, f"?page={number}") == ["Only"]


def test_a_long_list_is_paged_and_costs_the_same(editor: Client, page: Page) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            editor.get("/console/incidents")
        return len(captured)

    make_incident(page, title="Last")
    before = queries()
    for number in range(60):
        make_incident(page, title=f"Incident {number}")
    assert queries() == before <= 8
    assert len(titles(editor)) == 50
    older = sheet(editor.get("/console/incidents?show=open")).one("nav", class_="pager").one("a").attributes["href"]
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


def test_the_list_of_maintenances_says_when_they_are_and_where_to_plan_one(editor: Client, page: Page) -> None:
    empty = sheet(editor.get("/console/incidents?show=maintenance"))
    assert "No maintenance has been scheduled yet." in empty.text
    assert empty.one("a", class_="primary").attributes["href"] == "/console/maintenances/new"
    begins = datetime(2029, 10, 24, 0, 0, tzinfo=UTC)
    make_maintenance(page, begins=begins)
    assert "Oct 24, 2029, 02:00 – 04:00 CEST" in sheet(editor.get("/console/incidents?show=maintenance")).text


def test_a_filter_stays_on_the_next_page(editor: Client, page: Page) -> None:
    for _ in range(51):
        make_maintenance(page)
    links = [a.attributes["href"] for a in sheet(editor.get("/console/incidents?show=maintenance")).all("a")]
    assert "?page=2&show=maintenance" in links
