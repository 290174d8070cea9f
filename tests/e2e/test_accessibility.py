"""axe-core on every page, of the console and for visitors: with the demo and with nothing, wide and on a phone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from incidents.models import Draft, Page
from statuspage.accounts.models import Role
from statuspage.importers.demo.seeding import seed
from tests.console.pages import name_of, unseen, walk
from tests.factories import make_endpoint, make_page, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]

AXE = Path(__file__).resolve().parent.parent / "vendor" / "axe-core" / "axe.min.js"
LOOK = """async () => {
    for (const part of document.querySelectorAll("details")) part.open = true
    const found = await axe.run(document, {resultTypes: ["violations"]})
    const where = one => one.nodes.slice(0, 3).map(node => `${node.html} ${node.failureSummary}`)
    return found.violations.map(one => [one.id, one.help, where(one)])
}"""
# Of what visitors meet.
PUBLIC = ("/", "/history", "/uptime", "/subscribe", "/subscribe/webhook", "/accounts/login/", "/nothing-here")
# Of a kind of page, so many are looked at: an open and a resolved incident are different pages.
EXAMPLES = 2
# The page of an incident in other words: what a form shows that came back. Or no page at all.
SAME_PAGES = {"post_update", "resolve", "reopen", "impact_start", "presence", "restore_incident", "draft_mail"}
FILES = {"mail", "mail_source"}  # there are none: the demo sends no mail


@pytest.fixture
def tab(browser: Browser, live_server: Any) -> Iterator[Tab]:
    context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    context.add_init_script(path=AXE)
    yield context.new_page()
    context.close()


@pytest.fixture
def demo(transactional_db: None) -> Page:
    return seed(None, seed=7, now=timezone.now(), tell=lambda _: None)[0]


def signed_in(tab: Tab, role: str) -> Client:
    """A client for the walk, whose session the browser has too."""
    client = Client()
    client.force_login(make_user(role, name="Erin Example"))
    cookie = client.cookies["sessionid"].value
    tab.context.add_cookies([{"name": "sessionid", "value": cookie, "domain": "localhost", "path": "/"}])
    return client


def assert_nothing_found(tab: Tab, paths: list[str]) -> None:
    """By axe: wide and light, then on a phone and dark."""
    found: list[str] = []
    for path in paths:
        tab.set_viewport_size({"width": 1280, "height": 900})
        tab.emulate_media(color_scheme="light")
        tab.goto(path)
        found += complaints(tab, f"{path} wide, light")
        tab.set_viewport_size({"width": 390, "height": 844})
        tab.emulate_media(color_scheme="dark")
        found += complaints(tab, f"{path} phone, dark")
    assert not found, "\n".join(found)


def complaints(tab: Tab, where: str) -> list[str]:
    return [f"{where}: {json.dumps(one, indent=1)}" for one in tab.evaluate(LOOK)]


def seldom_linked(page: Page) -> list[str]:
    """What stands at addresses that no page of the demo leads to, or only one that was not looked at."""
    incident = page.incidents.incidents().unresolved()[0]
    series = page.maintenance_series.all()[0]
    endpoint = make_endpoint(page, "https://hooks.example.com/in")
    draft = Draft.objects.create(
        page=page, incident=incident, step="update", state="review", author_ref="7", author_label="Otto"
    )
    retractable = page.incidents.filter(postmortem__published_at__isnull=False)[0]
    return [
        f"/console/incidents/{incident.public_id}/deliveries",
        f"/console/incidents/{retractable.public_id}/postmortem/retract",
        f"/console/series/{series.public_id}",
        f"/console/series/{series.public_id}/edit",
        f"/console/series/{series.public_id}/end",
        f"/console/channels/{endpoint.public_id}",
        f"/console/channels/{endpoint.public_id}/remove",
        f"/console/drafts/{draft.public_id}",
    ]


def test_axe_finds_nothing_on_any_page_of_the_console(tab: Tab, demo: Page) -> None:
    client = signed_in(tab, Role.OWNER)
    pages = walk(client, per_name=EXAMPLES)
    more = seldom_linked(demo)
    seen = {name_of(path) for path in more}
    assert unseen(pages, client) - seen - SAME_PAGES - FILES == set()
    assert len(pages.pages) >= 35
    assert_nothing_found(tab, [*(path for _, path in pages), *more])


def test_axe_finds_nothing_where_there_is_nothing_yet(tab: Tab, transactional_db: None) -> None:
    make_page()
    pages = walk(signed_in(tab, Role.OWNER), per_name=1)
    assert len(pages.pages) >= 25
    assert_nothing_found(tab, [path for _, path in pages])


def test_axe_finds_nothing_on_what_visitors_see(tab: Tab, demo: Page) -> None:
    reports = [f"/incidents/{one.public_id}" for one in demo.incidents.newest_first()[:2]]
    assert_nothing_found(tab, [*PUBLIC, *reports])
