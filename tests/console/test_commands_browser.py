"""The command bar in a real browser: by the keyboard alone, and how many clicks it is to anything from anywhere."""

from typing import Any

import pytest
from playwright.sync_api import expect

from incidents.models import Incident, Page
from tests.console.test_browser import Hand, OpenTab, open_tab, page, sign_in
from tests.factories import PASSWORD, make_incident

__all__ = ["open_tab", "page"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]

WIDE = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
FAR_AWAY = ["/console/p/acme/subscribers", "/console/p/acme/reports", "/console/p/acme/people"]


def test_a_slash_opens_it_and_enter_takes_what_was_found(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab()
    sign_in(tab)
    tab.goto("/console/p/acme/people")
    tab.keyboard.press("/")
    expect(tab.locator("#command")).to_be_focused()
    tab.keyboard.type("declare")
    expect(tab.locator("dialog .commands-found a")).to_have_count(1)
    tab.keyboard.press("Enter")
    expect(tab.get_by_label("Title")).to_be_focused()


def test_the_arrows_walk_and_escape_closes_it(open_tab: OpenTab, page: Page) -> None:
    make_incident(page, title="API outage")
    tab = open_tab()
    sign_in(tab)
    tab.wait_for_load_state()
    tab.keyboard.press("Control+k")
    first = tab.locator("dialog .commands-found a").first
    expect(first).to_have_text("Post update: API outage")
    tab.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    tab.keyboard.press("ArrowUp")
    expect(tab.locator("#command")).to_be_focused()
    tab.keyboard.press("Escape")
    expect(tab.locator("dialog")).not_to_be_visible()


def test_in_a_text_a_slash_is_a_slash(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab()
    sign_in(tab)
    tab.goto("/console/p/acme/incidents/new")
    tab.get_by_label("Message").focus()
    tab.keyboard.type("and/or")
    expect(tab.get_by_label("Message")).to_have_value("and/or")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("start", FAR_AWAY)
def test_from_any_page_a_follow_up_is_two_clicks_and_a_declaration_four(
    open_tab: OpenTab, page: Page, size: dict[str, Any], start: str
) -> None:
    incident = make_incident(page, title="API outage")
    tab = open_tab(**size)
    sign_in(tab)
    tab.goto(start)
    hand = Hand(tab)
    hand.click(tab.get_by_role("link", name="Post update: API outage", exact=True))
    tab.get_by_label("Message").first.fill("We know more.")
    hand.click(tab.get_by_role("button", name="Post update"))
    expect(tab.get_by_text("Update published.")).to_be_visible()
    assert (hand.clicks, incident.updates.count()) == (2, 2)
    tab.goto(start)
    hand = Hand(tab)
    hand.click(tab.get_by_role("link", name="Declare", exact=True))
    tab.get_by_label("Title").fill("Slow API")
    tab.get_by_label("Message").fill("We are looking.")
    hand.click(tab.get_by_role("button", name="Publish incident"))
    expect(tab.get_by_text("Incident published.")).to_be_visible()
    assert hand.clicks <= 4
    assert Incident.objects.count() == 2


def test_without_scripts_it_is_a_page(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab(java_script_enabled=False)
    tab.goto("/console/p/acme/")
    tab.get_by_label("Email").fill("erin@example.org")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    tab.get_by_role("link", name="Search or run a command").click()
    tab.get_by_role("searchbox").fill("declare")
    tab.get_by_role("button", name="Search").click()
    tab.get_by_role("link", name="Declare incident").click()
    expect(tab.get_by_role("heading", name="Declare incident")).to_be_visible()
