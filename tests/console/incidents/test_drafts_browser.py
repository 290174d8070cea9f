"""Drafts in a real browser: kept while typed, taken back by the keyboard, gone out under the reader's eyes."""

import pytest
from playwright.sync_api import expect

from incidents.actions.scheduled_steps import run_due
from incidents.models import Draft, Page
from tests.console.test_browser import OpenTab, open_tab, page, sign_in
from tests.factories import make_incident
from tests.servers import wait_until

__all__ = ["open_tab", "page"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]


def test_a_text_survives_a_closed_tab_without_any_button(open_tab: OpenTab, page: Page) -> None:
    incident = make_incident(page)
    tab = open_tab()
    sign_in(tab)
    tab.goto(f"/console/p/acme/incidents/{incident.public_id}")
    tab.get_by_label("Message").first.fill("Half a sentence")
    expect(tab.get_by_text("Draft saved")).to_be_visible()
    tab.close()
    again = open_tab()
    sign_in(again)
    again.goto(f"/console/p/acme/incidents/{incident.public_id}")
    expect(again.get_by_label("Message").first).to_have_value("Half a sentence")


def test_the_tabs_show_the_mail_and_the_webhook_while_typing(open_tab: OpenTab, page: Page) -> None:
    incident = make_incident(page, title="Slow API")
    tab = open_tab()
    sign_in(tab)
    tab.goto(f"/console/p/acme/incidents/{incident.public_id}")
    tab.get_by_label("Message").first.fill("We know more.")
    tab.get_by_label("Email").first.check()
    expect(tab.get_by_text("Slow API").filter(has_text=f"[{page.name}]").first).to_be_visible()
    tab.get_by_label("Webhook").first.check()
    expect(tab.get_by_text('"body": "We know more."')).to_be_visible()


def test_undo_by_the_keyboard_and_a_text_that_goes_out_by_itself(open_tab: OpenTab, page: Page) -> None:
    Page.objects.update(undo_seconds=30)
    incident = make_incident(page)
    tab = open_tab()
    sign_in(tab)
    tab.goto(f"/console/p/acme/incidents/{incident.public_id}")
    tab.get_by_label("Message").first.fill("Too early.")
    tab.get_by_role("button", name="Post update").press("Enter")
    expect(tab.locator("[data-countdown]")).to_contain_text("in ")
    tab.get_by_role("button", name="Undo").press("Enter")
    expect(tab.get_by_text("Update withdrawn. Subscribers were not notified.")).to_be_visible()
    expect(tab.get_by_label("Message").first).to_have_value("Too early.")
    assert incident.updates.count() == 1
    tab.get_by_role("button", name="Post update").click()
    expect(tab.locator("[data-countdown]")).to_be_visible()
    draft = wait_until(Draft.objects.filter(state="waiting").first, "the text is on its way")
    run_due(draft.publish_at)
    tab.get_by_role("link", name="Reload the page").click()
    expect(tab.locator("ol.timeline").get_by_text("Too early.")).to_be_visible()
