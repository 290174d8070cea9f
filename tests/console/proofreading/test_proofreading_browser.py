"""The proofreader in a real browser: remarks while one types, a fix by one press, and undo."""

from typing import Any

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import Route, expect

from incidents.models import Page
from tests.console.test_browser import OpenTab, open_tab, page, sign_in

__all__ = ["open_tab", "page"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]

TEXT = "🔥 At 14:30 PM UTC it failed. Next update by 15:30 UTC."
RIGHT = TEXT.replace(" PM", "")


@pytest.fixture
def open_form(open_tab: OpenTab, page: Page) -> OpenTab:
    """A tab at the form that declares an incident, its scripts loaded."""

    def new(**options: Any) -> Tab:
        tab = open_tab(**options)
        sign_in(tab)
        tab.goto("/console/p/acme/incidents/new")
        return tab

    return new


def test_a_remark_comes_while_one_types_and_is_announced(open_form: OpenTab) -> None:
    tab = open_form()
    tab.get_by_label("Message").fill(TEXT)
    expect(tab.locator(".remark")).to_have_count(1)
    expect(tab.locator("[data-remarks-status]")).to_have_text("1 remark on this text")
    tab.get_by_label("Message").fill(RIGHT)
    expect(tab.locator(".remark")).to_have_count(0)
    expect(tab.locator("[data-remarks-status]")).to_have_text("No remarks on this text any more")


def test_one_press_puts_it_right_and_undo_takes_it_back(open_form: OpenTab) -> None:
    tab = open_form()
    message = tab.get_by_label("Message")
    message.fill(TEXT)
    button = tab.get_by_role("button", name="Use “14:30 UTC”")
    button.focus()
    tab.keyboard.press("Enter")
    expect(message).to_have_value(RIGHT)
    expect(message).to_be_focused()
    tab.keyboard.press("Control+z")
    expect(message).to_have_value(TEXT)


def test_a_fix_finds_its_words_when_the_text_has_moved_meanwhile(open_form: OpenTab) -> None:
    tab = open_form()
    message = tab.get_by_label("Message")
    message.fill(TEXT)
    button = tab.get_by_role("button", name="Use “14:30 UTC”")
    button.wait_for()
    # As if the answer were about an older text than the one that stands there now.
    message.evaluate("(area, text) => { area.value = text; }", f"Hello. {TEXT}")
    button.click()
    expect(message).to_have_value(f"Hello. {RIGHT}")


def test_what_is_missing_is_added_at_the_end(open_form: OpenTab) -> None:
    tab = open_form()
    message = tab.get_by_label("Message")
    message.fill("It failed.")
    tab.get_by_role("button", name="Add “Next update by").click()
    assert message.input_value().startswith("It failed.\n\nNext update by @")
    expect(tab.locator(".remark")).to_have_count(0)


def test_what_was_typed_before_the_scripts_were_there_is_read_too(open_form: OpenTab) -> None:
    tab = open_form()
    held: list[Route] = []
    tab.route("**/*htmx*", lambda route: held.append(route))
    tab.reload(wait_until="commit")
    expect(tab.get_by_label("Title")).to_be_focused()
    tab.get_by_label("Message").fill(TEXT)
    expect(tab.locator(".remark")).to_have_count(0)
    for route in held:
        route.continue_()
    expect(tab.locator(".remark")).to_have_count(1)


def test_without_scripts_the_preview_brings_the_remarks_and_no_dead_buttons(open_form: OpenTab) -> None:
    tab = open_form(java_script_enabled=False)
    tab.get_by_label("Message").fill(TEXT)
    tab.get_by_role("button", name="Preview").click()
    expect(tab.locator(".remark")).to_contain_text("14:30 is a 24-hour time.")
    expect(tab.locator("[data-fix]")).to_be_hidden()
    expect(tab.get_by_label("Message")).to_have_value(TEXT)


def test_who_has_reached_a_fix_by_the_keyboard_stays_on_it_when_the_remarks_are_renewed(open_form: OpenTab) -> None:
    tab = open_form()
    message = tab.get_by_label("Message")
    message.fill(TEXT)
    button = tab.get_by_role("button", name="Use “14:30 UTC”")
    button.focus()
    with tab.expect_response("**/remarks"):
        tab.get_by_label("Title").evaluate("one => one.dispatchEvent(new Event('input', {bubbles: true}))")
    tab.evaluate("document.querySelector('.remark').isOld = true")
    with tab.expect_response("**/remarks"):
        tab.get_by_label("Title").evaluate("one => one.dispatchEvent(new Event('input', {bubbles: true}))")
    expect(button).to_be_focused()
    expect(button).to_be_visible()
