"""What an open page asks for, and what it needs to find in the page."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from time_machine import travel

from tests.factories import make_incident, make_page, post
from tests.public.parsed_page import get, read

pytestmark = pytest.mark.django_db

NOON = "2024-03-20T12:00:00Z"


def live() -> dict[str, str]:
    payload: dict[str, str] = json.loads(get("/live.json").content)
    return payload


def test_live_says_when_it_was_true_on_the_pages_clock() -> None:
    make_page(time_zone="Europe/Berlin")
    with travel(NOON, tick=False):
        assert live()["as_of"] == "2024-03-20T13:00:00+01:00"
        assert get("/live.json")["Last-Modified"] == "Wed, 20 Mar 2024 12:00:00 GMT"


def test_the_version_stays_while_nothing_happens() -> None:
    with travel(NOON, tick=False):
        make_page()
        before = live()["version"]
    with travel("2024-03-20T23:59:59Z", tick=False):
        assert live()["version"] == before


def test_the_version_changes_with_an_update_and_with_a_new_day() -> None:
    with travel(NOON, tick=False):
        incident = make_incident(make_page())
        seen = {live()["version"]}
    with travel("2024-03-20T12:00:01Z", tick=False):
        post(incident)
        seen.add(live()["version"])
    with travel("2024-03-21T00:00:01Z", tick=False):
        seen.add(live()["version"])
    assert len(seen) == 3


def test_home_carries_what_live_says() -> None:
    with travel(NOON, tick=False):
        make_page(time_zone="Europe/Berlin")
        home = read("/")
        assert home.one("html").attributes["data-version"] == live()["version"]
    assert home.one("p", id="as-of").text == "As of Mar 20, 13:00 CET"


def test_an_incident_does_not_read_otherwise_because_something_else_happened() -> None:
    page = make_page()
    path = f"/incidents/{make_incident(page).public_id}"
    before = get(path).content
    make_incident(page)
    assert get(path).content == before


@pytest.mark.parametrize("path", ["/", "/incidents/{code}"])
def test_what_may_be_exchanged_has_a_name_and_the_banner_waits_hidden(path: str) -> None:
    incident = make_incident(make_page())
    document = read(path.format(code=incident.public_id))
    parts = [element for element in document.walk() if "data-live" in element.attributes]
    assert parts
    names = [element.attributes["id"] for element in parts]
    assert len(set(names)) == len(names)
    assert "hidden" in document.one("p", id="stale").attributes
    assert document.one("p", id="news").attributes["aria-live"] == "polite"
    (script,) = document.all("script")
    assert script.attributes["src"].endswith("live.js")


@pytest.mark.parametrize("path", ["/history", "/uptime", "/404.html"])
def test_pages_that_hardly_change_carry_no_script(path: str) -> None:
    make_page()
    assert not read(path).all("script")


def test_the_script_is_at_most_2700_bytes() -> None:
    assert len((Path(settings.BASE_DIR) / "static/js/live.js").read_bytes()) <= 2700
