from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.actions.postmortems import postmortem_lifecycle as actions
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.models import ActionItem, Page
from tests.factories import ALICE, make_page, make_resolved, make_user

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 10)


@pytest.fixture
def viewer(page: Page) -> Client:
    client = Client()
    client.force_login(make_user("viewer"))
    return client


def due(page: Page, text: str, *, days: int, done: bool = False) -> None:
    draft = ActionItemDraft(text, owner="Robin", due_on=TODAY + timedelta(days=days), done=done)
    actions.save_draft(make_resolved(page), body="", action_items=[draft], actor=ALICE)


def overdue(page: Page) -> list[str]:
    return [item.text for item in ActionItem.objects.overdue(page, today=TODAY)]


def test_an_item_is_overdue_from_the_day_after_it_was_due(page: Page) -> None:
    due(page, "Due today", days=0)
    due(page, "Due yesterday", days=-1)
    assert overdue(page) == ["Due yesterday"]


def test_what_is_done_is_not_overdue(page: Page) -> None:
    due(page, "Done late", days=-3, done=True)
    assert overdue(page) == []


def test_an_item_without_a_due_date_is_never_overdue(page: Page) -> None:
    actions.save_draft(make_resolved(page), body="", action_items=[ActionItemDraft("Some day")], actor=ALICE)
    assert overdue(page) == []


def test_the_longest_overdue_comes_first(page: Page) -> None:
    due(page, "A day", days=-1)
    due(page, "A month", days=-30)
    assert overdue(page) == ["A month", "A day"]


def test_the_items_of_another_page_are_not_ours(page: Page) -> None:
    due(page, "Ours", days=-1)
    due(make_page(name="Other", domain="other.example"), "Theirs", days=-1)
    assert overdue(page) == ["Ours"]


def test_the_dashboard_names_what_is_overdue_whose_it_is_and_since_when(viewer: Client, page: Page) -> None:
    due(page, "Alarm on <failed> writes", days=-400)
    shown = viewer.get("/console/p/acme/").content.decode()
    assert "Overdue action items" in shown
    assert "Alarm on &lt;failed&gt; writes" in shown
    assert "Robin" in shown
    assert '<time datetime="2025-02-03">' in shown


def test_the_dashboard_shows_nothing_when_no_item_is_overdue(viewer: Client, page: Page) -> None:
    due(page, "Later", days=4000)
    assert "Overdue action items" not in viewer.get("/console/p/acme/").content.decode()


def test_the_day_is_the_pages_own(viewer: Client, page: Page) -> None:
    Page.objects.filter(pk=page.pk).update(time_zone="Pacific/Auckland")
    due(page, "Due on the tenth", days=0)
    with time_machine.travel("2026-03-10T10:00:00Z", tick=False):
        assert "Overdue action items" not in viewer.get("/console/p/acme/").content.decode()
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        assert "Overdue action items" in viewer.get("/console/p/acme/").content.decode()


def test_many_overdue_items_cost_the_dashboard_no_more_queries(viewer: Client, page: Page) -> None:
    due(page, "One", days=-400)
    viewer.get("/console/p/acme/")
    with CaptureQueriesContext(connection) as few:
        viewer.get("/console/p/acme/")
    for number in range(8):
        due(page, f"Another {number}", days=-400)
    viewer.get("/console/p/acme/")
    with CaptureQueriesContext(connection) as many:
        viewer.get("/console/p/acme/")
    assert len(many) == len(few)


def test_a_long_list_does_not_push_the_rest_away(page: Page, viewer: Client) -> None:
    items = [ActionItemDraft(f"Item {n}", due_on=date(2020, 1, 1)) for n in range(8)]
    actions.save_draft(make_resolved(page), body="Why.", actor=ALICE, action_items=items)
    html = viewer.get("/console/p/acme/").content.decode()
    assert "<summary>2 more</summary>" in html
    assert all(f">Item {n}</a>" in html for n in range(8))
