"""An open page in a real browser: it changes by itself, and says so when it can no longer know."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect

from tests.live import Candor
from tests.publishing.webserver import start_web

pytestmark = pytest.mark.xdist_group("live")

# Seconds between two looks, and until the banner. Visitors have 30 and 180.
PACE = 'data-every="0.3" data-stale="6"'
OPEN = """
from incidents.actions.components import component_lifecycle as components
from incidents.actions.incidents import incident_lifecycle as incidents
from incidents.actor import SYSTEM
from incidents.models import Page
page = Page.objects.get()
group = components.create_group(page, name="APIs", actor=SYSTEM)
api = components.create_component(page, name="REST API", group=group, actor=SYSTEM)
broken = {api: "major_outage"}
incident = incidents.open_incident(page, title="Sign-in fails", body="We look.", components=broken, actor=SYSTEM)
incidents.edit_update(incident.updates.get(), body="We are looking.", actor=SYSTEM)
print(incident.public_id)
"""
POST = """
from incidents.actions.incidents.incident_lifecycle import post_update
from incidents.actions.update_input import UpdateInput
from incidents.actor import SYSTEM
from incidents.models import Incident
post_update(Incident.objects.get(), UpdateInput(status="identified", body="{}"), actor=SYSTEM)
"""


def post(candor: Candor, text: str) -> None:
    candor.manage("shell", "-v0", "-c", POST.format(text))


def is_complaint(message: ConsoleMessage) -> bool:
    """That nothing answers is what some of these tests are about."""
    return message.type == "error" and "Failed to load resource: net::" not in message.text


def hurry(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace('<html lang="en"', f'<html lang="en" {PACE}', 1))


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Candor]:
    candor = Candor(tmp_path_factory.mktemp("live"), env={"PAGE_NAME": "Acme"})
    candor.manage("setup")
    candor.env["CODE"] = candor.manage("shell", "-v0", "-c", OPEN).strip().splitlines()[-1]
    candor.manage("publish")
    start_web(candor)
    candor.start_dispatcher()
    yield candor
    candor.stop()


@pytest.fixture
def tab(browser: Browser, product: Candor) -> Iterator[Page]:
    context = browser.new_context()
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
    tab.route(product.url + "/", hurry)
    tab.route(product.url + "/incidents/*", hurry)
    yield tab
    # The page may be reloading: the answer that it waits for ends with it.
    tab.unroute_all(behavior="ignoreErrors")
    context.close()
    assert not complaints, "the browser complained (content security policy?)"


def test_an_open_page_changes_by_itself(tab: Page, product: Candor) -> None:
    tab.goto(product.url)
    tab.evaluate("window.opened = 'once'")
    tab.get_by_role("link", name="Incident history").first.focus()
    expect(tab.locator("#as-of")).to_contain_text("As of")
    post(product, "We found the cause.")
    expect(tab.locator("#now")).to_contain_text("We found the cause.", timeout=15_000)
    expect(tab.locator("#news")).to_contain_text("Updated at")
    expect(tab.locator("#stale")).to_be_hidden()
    assert tab.evaluate("window.opened") == "once", "no reload"
    assert tab.evaluate("document.activeElement.textContent.trim()") == "Incident history"


def test_what_the_reader_folded_out_and_reached_by_keyboard_stays(tab: Page, product: Candor) -> None:
    tab.goto(f"{product.url}/incidents/{product.env['CODE']}")
    fold = tab.locator("details.changes summary").first
    fold.focus()
    tab.keyboard.press("Enter")
    expect(tab.locator("details.changes").first).to_have_attribute("open", "")
    post(product, "A fix is on its way.")
    expect(tab.locator("#report")).to_contain_text("A fix is on its way.", timeout=15_000)
    expect(tab.locator("details.changes").first).to_have_attribute("open", "")
    assert tab.evaluate("document.activeElement.textContent") == "Show changes"


def test_an_open_page_says_that_it_is_out_of_date_and_takes_it_back(tab: Page, product: Candor) -> None:
    tab.goto(product.url)
    post(product, "Nearly there.")
    expect(tab.locator("#now")).to_contain_text("Nearly there.", timeout=15_000)
    expect(tab.locator("#stale")).to_be_hidden()
    product.kill("dispatcher")
    expect(tab.locator("#stale")).to_be_visible(timeout=15_000)
    expect(tab.locator("#stale")).to_contain_text("may be out of date")
    post(product, "Done.")
    product.start_dispatcher()
    expect(tab.locator("#now")).to_contain_text("Done.", timeout=30_000)
    expect(tab.locator("#stale")).to_be_hidden()


def test_an_open_page_notices_that_nobody_answers(tab: Page, product: Candor) -> None:
    post(product, "Once more.")
    tab.goto(product.url)
    expect(tab.locator("#now")).to_contain_text("Once more.", timeout=15_000)
    tab.route("**/live.json", lambda route: route.abort())
    expect(tab.locator("#stale")).to_be_visible(timeout=15_000)
