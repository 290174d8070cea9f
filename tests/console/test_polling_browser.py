"""What the server brings anew, in a real browser: it takes no focus, moves nothing, and is read out once."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect
from playwright.sync_api import Page as Tab

from incidents.models import Incident, Page
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from tests.console.test_browser import OpenTab, open_tab, page, sign_in
from tests.factories import make_incident, make_subscriber, post
from tests.servers import wait_until

__all__ = ["open_tab", "page"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]


@pytest.fixture
def notified_incident(page: Page) -> Incident:
    """An incident that 41 are being told of; the newest half of the deliveries has failed."""
    for number in range(40):
        make_subscriber(page, f"a.reader.with.a.long.name.{number}@subsidiary.example.com")
    incident = make_incident(page)
    fan_out_waiting()
    late = list(Delivery.objects.order_by("-pk").values_list("pk", flat=True)[:20])
    Delivery.objects.filter(pk__in=late).update(state="failed", last_error="450 4.2.1 The mailbox is busy", attempts=3)
    return incident


def watch(tab: Tab, incident: Incident) -> None:
    sign_in(tab)
    tab.goto(f"/console/p/acme/incidents/{incident.public_id}/deliveries")
    after_a_poll(tab)


def after_a_poll(tab: Tab) -> None:
    with tab.expect_response(lambda answer: "deliveries?" in answer.url):
        pass
    tab.evaluate("new Promise(requestAnimationFrame)")


def top(part: Locator) -> float:
    return float(part.evaluate("one => Math.round(one.getBoundingClientRect().top)"))


def sent(number: int) -> None:
    """So many of those that wait are told."""
    waiting = Delivery.objects.filter(state="queued").order_by("pk").values_list("pk", flat=True)
    Delivery.objects.mark_sent(list(waiting[:number]))


def test_focus_and_place_stay_while_the_table_is_renewed(open_tab: OpenTab, notified_incident: Incident) -> None:
    tab = open_tab(viewport={"width": 1000, "height": 600})
    watch(tab, notified_incident)
    button = tab.get_by_role("button", name="Retry").nth(15)
    button.focus()
    tab.evaluate("document.querySelector('.table-wrap').scrollLeft = 60")
    name, at, wide = button.get_attribute("id"), top(button), wide_at(tab)
    assert name
    sent(5)
    expect(tab.get_by_text("25 of 41 done")).to_be_visible(timeout=10_000)
    assert tab.evaluate("document.activeElement.id") == name
    assert top(tab.locator(f"#{name}")) == at
    assert wide_at(tab) == wide > 0
    tab.keyboard.press("Shift+Tab")
    assert tab.evaluate("document.activeElement.id").startswith("to-")


def wide_at(tab: Tab) -> int:
    return int(tab.evaluate("document.querySelector('.table-wrap').scrollLeft"))


def test_what_appears_above_pushes_nothing_down_under_the_reader(
    open_tab: OpenTab, notified_incident: Incident
) -> None:
    Delivery.objects.filter(state="failed").update(state="queued")
    tab = open_tab(viewport={"width": 1280, "height": 600})
    watch(tab, notified_incident)
    last = tab.locator("tbody a").last
    last.scroll_into_view_if_needed()
    at = top(last)
    Delivery.objects.filter(pk=Delivery.objects.latest("pk").pk).update(state="failed")
    expect(tab.get_by_role("button", name="Retry the failed delivery")).to_be_attached(timeout=10_000)
    assert top(last) == at


def test_a_poll_without_news_leaves_the_table_alone(open_tab: OpenTab, notified_incident: Incident) -> None:
    tab = open_tab()
    watch(tab, notified_incident)
    tab.evaluate("document.getElementById('deliveries').isTheSame = true")
    after_a_poll(tab)
    after_a_poll(tab)
    assert tab.evaluate("document.getElementById('deliveries').isTheSame")
    sent(1)
    expect(tab.get_by_text("21 of 41 done")).to_be_visible(timeout=10_000)


def test_a_failed_one_is_tried_again_without_leaving_the_place(open_tab: OpenTab, notified_incident: Incident) -> None:
    tab = open_tab(viewport={"width": 1280, "height": 600})
    watch(tab, notified_incident)
    tab.evaluate("isTheSame = true")
    button = tab.get_by_role("button", name="Retry").nth(15)
    button.focus()
    at = top(button)
    name = (button.get_attribute("id") or "").replace("again-", "to-")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("status").get_by_text("1 delivery queued for retry.")).to_be_visible()
    assert tab.evaluate("document.activeElement.id") == name
    assert abs(top(tab.locator(f"#{name}")) - at) <= 30
    assert tab.evaluate("isTheSame")


def test_who_types_is_not_moved_by_what_somebody_else_publishes(open_tab: OpenTab, page: Page) -> None:
    incident = make_incident(page, notify=False)
    tab = open_tab(viewport={"width": 1280, "height": 600})
    tab.clock.install()
    sign_in(tab)
    for scrolled in (0, 150):
        tab.goto(f"/console/p/acme/incidents/{incident.public_id}")
        box = tab.get_by_label("Message").first
        box.fill("Half a sen")
        tab.evaluate("y => scrollTo(0, y)", scrolled)
        at = top(box)
        post(incident, notify=False)
        tab.clock.fast_forward(21_000)
        expect(tab.get_by_text("This incident has changed.")).to_be_attached()
        assert top(box) == at
        expect(box).to_be_focused()
        assert box.evaluate("one => one.selectionStart") == len("Half a sen")


def test_messages_and_answers_are_read_out_in_one_place(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab()
    tab.add_init_script("""
        document.addEventListener('DOMContentLoaded', () => {
          window.readOut = [];
          const region = document.getElementById('toasts');
          const note = (all) => all.forEach((one) => one.addedNodes.forEach((node) => readOut.push(node.textContent)));
          if (region) new MutationObserver(note).observe(region, {childList: true});
        });
    """)
    sign_in(tab)
    tab.goto("/console/p/acme/incidents/new")
    tab.get_by_label("Title").fill("API outage")
    tab.get_by_label("Message").fill("We are looking.")
    wait_until(lambda: read_out(tab), "something is read out")
    with tab.expect_response("**/drafts/save/declare"):
        tab.get_by_label("Message").press_sequentially(" More.")
    assert read_out(tab) == ["Drafts are saved automatically."]
    tab.get_by_role("button", name="Publish incident").click()
    wait_until(lambda: read_out(tab), "something is read out")
    assert read_out(tab) == ["Incident published."]
    fan_out_waiting()
    Delivery.objects.mark_sent(list(Delivery.objects.values_list("pk", flat=True)))
    expect(tab.get_by_text("All notifications sent.")).to_be_attached()
    assert read_out(tab) == ["Incident published.", "All notifications sent."]


def read_out(tab: Tab) -> Any:
    return tab.evaluate("readOut.map((text) => text.trim())")
