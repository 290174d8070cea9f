"""`@14:14` on the reader's own clock: a script adds it on open pages, and moves nothing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from incidents.models import IncidentUpdate, Page
from tests.factories import make_incident, make_page, post

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]

SHIFTS = """() => new Promise(done => {
    let sum = 0
    new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value })
        .observe({type: "layout-shift", buffered: true})
    setTimeout(() => done(sum), 300)
})"""


@pytest.fixture
def page(transactional_db: None) -> Page:
    page = make_page(time_zone="Europe/Berlin")
    make_incident(page, body="It began at @14:14, and we look.", at=datetime(2026, 11, 25, 15, tzinfo=UTC))
    return page


@pytest.fixture
def reader(browser: Browser, live_server: Any, page: Page) -> Iterator[Callable[[str], Tab]]:
    contexts = []

    def opened(zone: str) -> Tab:
        context = browser.new_context(base_url=live_server.url, timezone_id=zone)
        contexts.append(context)
        tab = context.new_page()
        tab.goto("/")
        return tab

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("zone", "own"),
    [
        ("America/New_York", "Nov 25, 08:14 your time"),
        ("Asia/Kolkata", "Nov 25, 18:44 your time"),
        ("Pacific/Auckland", "Nov 26, 02:14 your time"),
    ],
)
def test_a_reader_elsewhere_finds_the_time_on_their_own_clock(
    reader: Callable[[str], Tab], zone: str, own: str
) -> None:
    tab = reader(zone)
    time = tab.locator(".prose time")
    expect(time).to_have_attribute("title", own)
    expect(time).to_have_text("14:14 CET (13:14 UTC)")
    assert tab.evaluate(SHIFTS) == 0
    for _ in range(2):
        time.click()
        expect(time).to_have_text(f"14:14 CET (13:14 UTC) ({own})")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/Paris", "UTC", "Atlantic/Reykjavik"])
def test_a_reader_whose_time_stands_there_already_is_told_nothing(reader: Callable[[str], Tab], zone: str) -> None:
    tab = reader(zone)
    tab.wait_for_load_state("networkidle")
    assert tab.locator(".prose time[title]").count() == 0


def test_what_comes_while_the_page_is_open_has_it_too(reader: Callable[[str], Tab], page: Page) -> None:
    tab = reader("America/New_York")
    post(page.incidents.get(), body="Since @2026-11-25 16:00 it is better.")
    time = tab.locator(".prose time", has_text="16:00 CET")
    expect(time).to_have_attribute("title", "Nov 25, 10:00 your time", timeout=15_000)


def test_what_is_no_time_is_left_alone(reader: Callable[[str], Tab], page: Page) -> None:
    times = ('<time datetime="soon">soon</time>', "<time>today</time>", '<time datetime="2026-11-25T13:14Z">x</time>')
    IncidentUpdate.objects.update(body_html=f"<p>It began {', '.join(times)}</p>")
    elements = reader("America/New_York").locator(".prose time")
    expect(elements.nth(2)).to_have_attribute("title", "Nov 25, 08:14 your time")
    for number in (0, 1):
        assert elements.nth(number).get_attribute("title") is None
