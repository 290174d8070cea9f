"""The console in a real browser: how many clicks it takes, what moves by itself, and that it works without scripts."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect
from playwright.sync_api import Page as Tab

from incidents.models import Incident, Page
from statuspage.accounts.models import Role
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from tests.factories import (
    PASSWORD,
    make_component,
    make_group,
    make_incident,
    make_page,
    make_resolved,
    make_subscriber,
    make_subscriber_with,
    make_user,
    post,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]

EMAIL = "erin@example.org"

# What the browser notes about a form that came back, a session that ended, and somebody quicker than the page.
REFUSAL = re.compile(r"status of (401|422) |Error Code 422 |^Autofocus")

OpenTab = Callable[..., Tab]


@pytest.fixture
def page(transactional_db: None) -> Page:
    make_user(Role.OWNER, email=EMAIL, name="Erin")
    page = make_page()
    make_component(page, "REST API", group=make_group(page))
    make_subscriber(page)
    return page


@pytest.fixture
def open_tab(browser: Browser, live_server: Any) -> Iterator[OpenTab]:
    """Opens a tab of a fresh browser; whatever a tab complained of fails the test at its end."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def new(**options: Any) -> Tab:
        context = browser.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(15_000)
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        return tab

    yield new
    for context in contexts:
        context.close()
    assert [text for text in complaints if not REFUSAL.search(text)] == []


@dataclass
class Hand:
    """Does what a person does, and counts the clicks. Enter counts as one; typing and Tab do not."""

    tab: Tab
    clicks: int = 0

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def enter(self) -> None:
        self.clicks += 1
        self.tab.keyboard.press("Enter")

    def type(self, text: str) -> None:
        self.tab.keyboard.type(text)

    def next_field(self) -> None:
        self.tab.keyboard.press("Tab")


def sign_in(tab: Tab) -> Hand:
    """From the sign-in page on, by hand: the address is in focus already."""
    tab.goto("/console/p/acme/")
    hand = Hand(tab)
    expect(tab.get_by_label("Email")).to_be_focused()
    hand.type(EMAIL)
    hand.next_field()
    hand.type(PASSWORD)
    hand.enter()
    expect(tab.get_by_role("link", name="Declare incident")).to_be_visible()
    return hand


def test_from_the_sign_in_to_a_published_incident_in_four_clicks(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab()
    hand = sign_in(tab)
    hand.click(tab.get_by_role("link", name="Declare incident"))
    expect(tab.get_by_label("Title")).to_be_focused()
    hand.type("API outage")
    for _ in ("status", "impact", "message"):
        hand.next_field()
    expect(tab.get_by_label("Message")).to_be_focused()
    hand.type("We are looking.")
    hand.click(tab.get_by_label("REST API"))
    tab.get_by_label("REST API").select_option("partial_outage")
    expect(tab.get_by_text("Notify 1 subscriber", exact=True)).to_be_visible()
    hand.click(tab.get_by_role("button", name="Publish incident"))
    expect(tab.get_by_text("Incident published.")).to_be_visible()
    assert hand.clicks <= 4
    assert Incident.objects.get().impact == "major"


def test_the_number_of_readers_follows_the_chosen_components(open_tab: OpenTab, page: Page) -> None:
    make_subscriber_with(page, components=(page.components.get(name="REST API"),))
    tab = open_tab()
    sign_in(tab)
    tab.get_by_role("link", name="Declare incident").click()
    expect(tab.get_by_text("Notify 1 subscriber", exact=True)).to_be_visible()
    tab.get_by_label("REST API").select_option("partial_outage")
    expect(tab.get_by_text("Notify 2 subscribers", exact=True)).to_be_visible()
    tab.get_by_label("REST API").select_option("")
    expect(tab.get_by_text("Notify 1 subscriber", exact=True)).to_be_visible()


def test_a_follow_up_from_the_dashboard_in_two_clicks(open_tab: OpenTab, page: Page) -> None:
    incident = make_incident(page)
    tab = open_tab()
    hand = sign_in(tab)
    hand.clicks = 0
    hand.click(tab.get_by_label("Post update", exact=True))
    hand.type("A fix is on its way.")
    hand.click(tab.get_by_role("button", name="Post update"))
    expect(tab.get_by_text("Update published.")).to_be_visible()
    assert hand.clicks <= 2
    assert incident.updates.newest_first()[0].body == "A fix is on its way."


def test_the_preview_follows_the_typing(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab()
    sign_in(tab)
    tab.goto("/console/p/acme/incidents/new")
    tab.get_by_label("Message").press_sequentially("Errors are **rising**.")
    expect(tab.locator(".preview strong")).to_have_text("rising")
    expect(tab.locator(".preview")).to_have_text("Errors are rising.")
    tab.get_by_label("Message").fill("<script>alert(1)</script>")
    expect(tab.locator(".preview .error")).to_contain_text("HTML like <script> is not allowed.")
    tab.get_by_label("Message").fill("")
    expect(tab.locator(".preview")).to_have_text("The preview appears here as you type.")
    assert not Incident.objects.exists()


def test_each_form_of_an_incident_has_its_own_preview(open_tab: OpenTab, page: Page) -> None:
    incident = make_incident(page)
    tab = open_tab()
    sign_in(tab)
    tab.get_by_role("link", name="Resolve…").click()
    resolve = tab.locator("#resolve")
    expect(resolve.get_by_role("button", name="Resolve incident")).to_be_visible()
    resolve.get_by_label("Message").fill("It is **over**.")
    expect(resolve.locator(".preview strong")).to_have_text("over")
    update = tab.locator(f"form[action='/console/p/acme/incidents/{incident.public_id}/update']")
    expect(update.locator(".preview")).to_have_text("The preview appears here as you type.")


def test_a_component_is_found_by_typing(open_tab: OpenTab, page: Page) -> None:
    group = make_group(page, "Regions")
    for number in range(20):
        make_component(page, f"Region {number}", group=group)
    tab = open_tab()
    sign_in(tab)
    tab.goto("/console/p/acme/incidents/new")
    rows = tab.locator(".picker li:visible")
    expect(rows).to_have_count(21)
    tab.get_by_label("Find a component").fill("region 1")
    expect(rows).to_have_count(11)
    expect(tab.get_by_text("Public APIs")).to_be_hidden()
    tab.get_by_label("Find a component").fill("public apis")
    expect(rows).to_have_count(1)
    tab.get_by_label("REST API").select_option("major_outage")
    tab.get_by_label("Find a component").fill("")
    expect(rows).to_have_count(21)
    tab.get_by_label("Title").fill("API outage")
    tab.get_by_label("Message").fill("We are looking.")
    tab.get_by_role("button", name="Publish incident").click()
    expect(tab.get_by_text("Incident published.")).to_be_visible()
    assert [c.name for c in Incident.objects.get().affected_components()] == ["REST API"]


def test_enter_in_the_search_for_a_component_publishes_nothing(open_tab: OpenTab, page: Page) -> None:
    for number in range(20):
        make_component(page, f"Region {number}")
    tab = open_tab()
    sign_in(tab)
    tab.goto("/console/p/acme/incidents/new")
    tab.get_by_label("Title").fill("API outage")
    tab.get_by_label("Message").fill("Half a sen")
    tab.get_by_label("Find a component").fill("region 7")
    tab.keyboard.press("Enter")
    tab.get_by_label("Message").fill("A whole sentence.")
    assert tab.url.endswith("/console/p/acme/incidents/new")
    assert not Incident.objects.exists()


def test_a_double_click_makes_one_incident(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab()
    sign_in(tab)
    tab.goto("/console/p/acme/incidents/new")
    tab.get_by_label("Title").fill("API outage")
    tab.get_by_label("Message").fill("We are looking.")
    tab.get_by_role("button", name="Publish incident").dblclick()
    expect(tab.get_by_role("heading", level=1, name="API outage")).to_be_visible()
    assert Incident.objects.get().updates.count() == 1


def test_the_progress_of_the_deliveries_moves_by_itself(open_tab: OpenTab, page: Page) -> None:
    make_subscriber(page)
    incident = make_incident(page)
    tab = open_tab()
    sign_in(tab)
    tab.goto(f"/console/p/acme/incidents/{incident.public_id}")
    expect(tab.get_by_text("Preparing notifications…")).to_be_visible()
    tab.get_by_label("Message").first.fill("Typed meanwhile.")
    fan_out_waiting()
    expect(tab.get_by_text("0 sent, 2 queued, 0 failed")).to_be_visible()
    Delivery.objects.mark_sent([Delivery.objects.earliest("pk").pk])
    expect(tab.get_by_text("1 sent, 1 queued, 0 failed")).to_be_visible()
    Delivery.objects.mark_sent(list(Delivery.objects.values_list("pk", flat=True)))
    expect(tab.get_by_text("All notifications sent", exact=True)).to_be_visible()
    assert tab.locator("#delivery-progress").get_attribute("hx-get") is None
    expect(tab.get_by_label("Message").first).to_have_value("Typed meanwhile.")


def test_a_session_that_ends_while_somebody_types_takes_no_word_away(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab()
    sign_in(tab)
    tab.goto("/console/p/acme/incidents/new")
    tab.get_by_label("Title").fill("API outage")
    tab.context.clear_cookies(name="sessionid")
    tab.get_by_label("Message").press_sequentially("We are looking.")
    expect(tab.locator(".preview")).to_contain_text("You were signed out.")
    expect(tab.get_by_label("Message")).to_have_value("We are looking.")
    tab.get_by_role("button", name="Publish incident").click()
    expect(tab.get_by_role("heading", name="You were signed out")).to_be_visible()
    expect(tab.get_by_label("part 1")).to_have_value("API outage")
    expect(tab.get_by_label("part 2")).to_have_value("We are looking.")
    assert not Incident.objects.exists()


def test_what_is_wrong_is_in_focus_after_a_refusal(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab()
    sign_in(tab)
    tab.goto("/console/p/acme/incidents/new")
    tab.get_by_label("Title").fill("API outage")
    tab.get_by_role("button", name="Publish incident").click()
    expect(tab.get_by_role("alert")).to_be_focused()
    tab.get_by_role("alert").get_by_role("link", name="Message").click()
    expect(tab.get_by_label("Message")).to_be_focused()


def test_the_whole_job_without_javascript(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab(java_script_enabled=False)
    sign_in(tab)
    tab.get_by_role("link", name="Declare incident").click()
    tab.get_by_label("Title").fill("API outage")
    tab.get_by_label("Message").fill("We are **looking**.")
    tab.get_by_label("REST API").select_option("partial_outage")
    tab.get_by_role("button", name="Preview").click()
    expect(tab.locator(".preview strong")).to_have_text("looking")
    tab.get_by_role("button", name="Publish incident").click()
    expect(tab.get_by_text("Incident published.")).to_be_visible()
    update = tab.locator("form[action$='/update']")
    update.get_by_label("Status").select_option("monitoring")
    update.get_by_label("Message").fill("A fix is in place.")
    update.get_by_role("button", name="Post update").click()
    expect(tab.get_by_text("Update published.")).to_be_visible()
    tab.locator("#resolve summary").first.click()
    tab.get_by_role("button", name="Resolve incident").click()
    expect(tab.get_by_text("Incident resolved.", exact=True)).to_be_visible()
    incident = Incident.objects.get()
    assert [update.status for update in incident.updates.newest_first()] == ["resolved", "monitoring", "investigating"]
    assert {component.status for component in incident.affected_components()} == {"operational"}


SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 360, "height": 740}}


@pytest.mark.parametrize("size", SIZES)
def test_no_page_is_wider_than_the_window_however_long_the_names(open_tab: OpenTab, page: Page, size: str) -> None:
    long = "Supercalifragilistic" * 12
    group = make_group(page, long)
    parts = [make_component(page, f"{number} {long}"[:255], group=group) for number in range(14)]
    incident = make_incident(page, title=long[:255], body=long, components={parts[0]: "major_outage"})
    update = post(incident, body=f"`{long}`", components={parts[1]: "degraded_performance"})
    resolved = make_resolved(page, title=("word " * 51)[:255])
    tab = open_tab(viewport=SIZES[size])
    sign_in(tab)
    paths = ["", "incidents", "incidents/new", f"incidents/{incident.public_id}", f"incidents/{resolved.public_id}"]
    for path in [*paths, f"updates/{update.public_id}/edit", f"incidents/{incident.public_id}#resolve"]:
        tab.goto(f"/console/p/acme/{path}")
        tab.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        surplus = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert surplus <= 0, f"{path} is {surplus} px too wide"


def test_what_more_opens_on_a_phone_is_all_on_the_screen(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab(viewport={"width": 390, "height": 844})
    sign_in(tab)
    tab.locator(".topbar-more summary").click()
    for link in tab.locator(".topbar-more li a").all():
        box = link.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["y"] + box["height"] <= 844


def test_no_page_of_the_console_breaks_the_content_security_policy(open_tab: OpenTab, page: Page) -> None:
    incident = make_incident(page)
    resolved = make_resolved(page)
    tab = open_tab()
    sign_in(tab)
    seen = {"/console/p/acme/"}
    todo = [
        "/console/p/acme/",
        f"/console/p/acme/incidents/{incident.public_id}",
        f"/console/p/acme/incidents/{resolved.public_id}",
    ]
    while todo:
        answer = tab.goto(todo.pop())
        assert answer
        assert answer.status == 200, answer.url
        for link in tab.locator("a[href^='/console/p/acme/']").all():
            path = re.sub(r"[?#].*", "", link.get_attribute("href") or "")
            if path not in seen and not path.endswith(".csv"):
                seen.add(path)
                todo.append(path)
    assert len(seen) >= 10
