"""The notice in a real browser, on a site of another origin."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab
from pytest_django import Settings

from incidents.models import Page
from tests.factories import make_incident, make_page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]


class Elsewhere(BaseHTTPRequestHandler):
    """A page that does nothing but load our script; its address is in the query."""

    def do_GET(self) -> None:
        script = self.path.partition("?")[2]
        body = f'<!DOCTYPE html><title>Shop</title><p>Buy</p><script src="{script}"></script>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    # By another name, so that it is another origin and another site.
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def shop(browser: Browser, live_server: Any, elsewhere: str, settings: Settings) -> Iterator[Tab]:
    settings.SITE_URL = live_server.url
    make_page(name="Acme")
    context = browser.new_context()
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.set_default_timeout(15_000)
    # Opened by the test, when the story has begun.
    tab.goto("about:blank")
    tab.evaluate("address => { window.shop = address }", f"{elsewhere}?{live_server.url}/embed/script.js")
    yield tab
    context.close()
    assert [text for text in complaints if "favicon" not in text and "404" not in text] == []


def enter(shop: Tab) -> None:
    shop.goto(shop.evaluate("window.shop"))


def test_an_open_incident_is_shown_in_the_corner_and_can_be_dismissed(shop: Tab) -> None:
    make_incident(Page.objects.get(), title="The API is slow")
    enter(shop)
    frame = shop.locator("iframe")
    expect(frame).to_be_visible()
    expect(frame).to_have_attribute("title", "Acme Status")
    box = frame.bounding_box()
    assert box
    assert (box["width"], box["height"], box["x"]) == (320, 115, 60)
    inside = shop.frame_locator("iframe")
    expect(inside.get_by_role("heading")).to_have_text("The API is slow")
    inside.get_by_role("button", name="Dismiss this notice").click()
    expect(frame).to_be_hidden()


def test_nothing_is_shown_while_nothing_is_wrong_but_a_sample_when_asked_for(shop: Tab) -> None:
    enter(shop)
    frame = shop.locator("iframe")
    inside = shop.frame_locator("iframe")
    expect(inside.get_by_role("heading", include_hidden=True)).to_have_text("Acme Status")
    expect(frame).to_be_hidden()
    shop.evaluate("statusEmbedTest()")
    expect(inside.get_by_role("heading")).to_have_text("This is a test")
    expect(frame).to_be_visible()


def test_other_windows_cannot_make_it_appear(shop: Tab) -> None:
    enter(shop)
    expect(shop.frame_locator("iframe").get_by_role("heading", include_hidden=True)).to_have_text("Acme Status")
    shop.evaluate("postMessage({action: 'showFrame', codes: 'forged'}, '*')")
    shop.wait_for_timeout(200)
    expect(shop.locator("iframe")).to_be_hidden()


def test_on_a_phone_it_is_as_wide_as_the_screen(shop: Tab) -> None:
    make_incident(Page.objects.get(), title="The API is slow")
    shop.set_viewport_size({"width": 390, "height": 700})
    enter(shop)
    expect(shop.locator("iframe")).to_be_visible()
    box = shop.locator("iframe").bounding_box()
    assert box
    assert (box["width"], box["x"], box["y"]) == (390, 0, 585)
