"""The way to a postmortem in a real browser: by keyboard alone, with a thumb and without scripts, and on paper."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Dialog, Locator, expect
from playwright.sync_api import Page as Tab

from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.models import Incident, Page, Postmortem
from incidents.models.findings import Findings
from incidents.postmortem.evidence import evidence_of, lines_of
from tests.console.test_browser import OpenTab, open_tab, page, sign_in
from tests.factories import ALICE, make_component, make_resolved
from tests.servers import wait_until

__all__ = ["open_tab", "page"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def walk_to(tab: Tab, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus, as somebody without a mouse does."""
    for _ in range(120):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        tab.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {wanted}")


def press(tab: Tab, wanted: Locator) -> None:
    walk_to(tab, wanted)
    tab.keyboard.press("Enter")


def test_from_the_declaration_to_the_postmortem_by_keyboard_alone(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab()
    sign_in(tab)
    tab.wait_for_load_state()
    tab.keyboard.press("/")
    tab.keyboard.type("declare")
    expect(tab.locator("dialog .commands-found a").first).to_contain_text("Declare")
    press(tab, tab.locator("dialog .commands-found a").first)
    expect(tab.get_by_label("Title")).to_be_focused()
    tab.keyboard.type("API outage")
    walk_to(tab, tab.get_by_label("Message"))
    tab.keyboard.type("We are looking.")
    walk_to(tab, tab.get_by_label("REST API"))
    tab.keyboard.type("Major")
    press(tab, tab.get_by_role("button", name="Publish incident"))
    expect(tab.get_by_text("Incident published.", exact=True)).to_be_visible()
    press(tab, tab.locator("summary", has_text="Resolve"))
    press(tab, tab.get_by_role("button", name="Resolve incident"))
    expect(tab.get_by_text("Incident resolved.", exact=True)).to_be_visible()
    press(tab, tab.get_by_role("link", name="Write postmortem"))
    walk_to(tab, tab.get_by_label("Text", exact=True))
    tab.keyboard.press("Control+A")
    tab.keyboard.type("## What happened\n\nThe addresses changed.")
    expect(tab.locator("#preview .essay")).to_contain_text("The addresses changed.")
    walk_to(tab, tab.locator("#id_lines-0-text"))
    tab.keyboard.press("Control+A")
    tab.keyboard.type("It fails")
    expect(tab.locator("#preview .outage-lines")).to_contain_text("It fails")
    walk_to(tab, tab.locator("#id_items-0-text"))
    tab.keyboard.type("Raise an alarm")
    press(tab, tab.get_by_role("button", name="Publish postmortem"))
    expect(tab.get_by_text("Postmortem published.")).to_be_visible()
    incident = Incident.objects.get()
    tab.goto(f"/incidents/{incident.public_id}")
    expect(tab.locator(".outage-lines")).to_contain_text("It fails")
    expect(tab.locator(".action-items")).to_contain_text("Raise an alarm")


def test_with_a_thumb_and_without_scripts_up_to_the_approval(open_tab: OpenTab, page: Page) -> None:
    Page.objects.update(postmortems_need_approval=True)
    ago = timezone.now() - timedelta(hours=2)
    incident = make_resolved(
        page, at=ago, until=ago + timedelta(hours=1), components={make_component(page, "Web"): "major_outage"}
    )
    tab = open_tab(java_script_enabled=False, **PHONE)
    sign_in(tab)
    tab.goto(f"/console/p/acme/incidents/{incident.public_id}")
    tab.get_by_role("link", name="Write postmortem").tap()
    tab.get_by_label("Text", exact=True).fill("## What happened\n\nThe addresses changed.")
    tab.get_by_role("button", name="Add lines").tap()
    tab.get_by_label("Contributing factors").fill("Nobody was told")
    tab.get_by_role("button", name="Preview").tap()
    expect(tab.locator(".outage-factors")).to_contain_text("Nobody was told")
    tab.get_by_role("button", name="Request approval").tap()
    expect(tab.get_by_text("Approval requested.")).to_be_visible()
    expect(tab.get_by_text("Waiting for a second person")).to_be_visible()
    tab.get_by_role("link", name="Review", exact=True).tap()
    tab.get_by_label("Your comment").fill("Is this all?")
    tab.get_by_role("button", name="Comment").tap()
    tab.get_by_role("button", name="Resolve").tap()
    expect(tab.locator(".comments .settled")).to_contain_text("Is this all?")
    assert not Postmortem.objects.get().is_published
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_is_not_saved_is_not_left_without_a_question(open_tab: OpenTab, page: Page) -> None:
    incident = make_resolved(page)
    tab = open_tab()
    sign_in(tab)
    tab.goto(f"/console/p/acme/incidents/{incident.public_id}/postmortem")
    dialogs: list[str] = []

    def stay(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        dialog.dismiss()

    tab.on("dialog", stay)
    tab.locator("#id_items-0-text").fill("Half a thought")
    tab.get_by_role("link", name="Dashboard").click(no_wait_after=True)
    wait_until(lambda: tab.evaluate("1") and dialogs == ["beforeunload"], "the browser asks")
    expect(tab.locator("#id_items-0-text")).to_have_value("Half a thought")
    tab.get_by_role("button", name="Save draft").first.click()
    expect(tab.get_by_text("Draft saved.")).to_be_visible()
    tab.get_by_role("link", name="Dashboard").click()
    expect(tab.get_by_role("link", name="Declare incident")).to_be_visible()
    assert dialogs == ["beforeunload"]


def test_what_is_typed_is_there_after_a_crash(open_tab: OpenTab, page: Page) -> None:
    incident = make_resolved(page)
    tab = open_tab()
    sign_in(tab)
    for text in ("Half a thought", "A whole one"):
        tab.goto(f"/console/p/acme/incidents/{incident.public_id}/postmortem")
        tab.get_by_label("Text", exact=True).fill(text)
        expect(tab.locator("#kept")).to_contain_text("Draft saved")
        tab.reload()
        expect(tab.get_by_label("Text", exact=True)).to_have_value(text)
    tab.get_by_label("Text", exact=True).focus()
    tab.keyboard.press("Control+End")
    tab.keyboard.type(" and more")
    tab.get_by_role("button", name="Publish postmortem").click()
    expect(tab.get_by_text("Postmortem published.")).to_be_visible()
    assert Postmortem.objects.get().body == "A whole one and more"


def test_on_paper_it_has_the_picture_the_list_and_no_buttons(open_tab: OpenTab, page: Page) -> None:
    ago = timezone.now() - timedelta(hours=2)
    web = make_component(page, "Web")
    made = make_resolved(page, at=ago, until=ago + timedelta(hours=1), components={web: "major_outage"})
    incident = Incident.objects.with_details().select_related("page").get(pk=made.pk)
    findings = Findings(timeline=tuple(lines_of(evidence_of(incident))), factors=("Nobody was told",))
    body = "\n\n".join(f"## Part {n}\n\n{'It went on and on. ' * 60}" for n in range(12))
    postmortem_lifecycle.publish(
        incident, body=body, actor=ALICE, findings=findings, action_items=[ActionItemDraft("Sleep")]
    )
    tab = open_tab(viewport={"width": 794, "height": 1123})
    tab.goto(f"/incidents/{incident.public_id}")
    paper = tab.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", paper))
    assert 4 <= pages <= 9, "a page for a few hundred words, and no page for each word"
    tab.emulate_media(media="print")
    for shown in (".outage", ".outage-lines", ".outage-factors", ".action-items"):
        expect(tab.locator(shown).first).to_be_visible()
    for hidden in (".masthead .button", ".colophon"):
        expect(tab.locator(hidden).first).not_to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 794
    broken = tab.locator(".outage, .outage-lines li").evaluate_all(
        "all => all.filter(one => getComputedStyle(one).breakInside !== 'avoid').length"
    )
    assert broken == 0
