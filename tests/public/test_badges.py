"""Badges: small pictures for other sites."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions.components import component_lifecycle
from incidents.models import Component
from incidents.models.states import ComponentStatus, Impact
from statuspage.public.embeds.badge import COLORS, text_width
from tests.factories import ALICE, make_component, make_group, make_incident, make_maintenance, make_page
from tests.public.parsed_page import get

pytestmark = pytest.mark.django_db

SVG = "{http://www.w3.org/2000/svg}"


def drawn(path: str = "/badge.svg") -> ET.Element:
    answer = get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/svg+xml; charset=utf-8"
    return ET.fromstring(answer.content.decode())


def title(picture: ET.Element) -> str:
    return picture.findtext(f"{SVG}title") or ""


def of(component: Component) -> str:
    return f"/components/{component.public_id}/badge.svg"


def test_the_pages_badge_says_the_headline() -> None:
    page = make_page(name="Acme")
    api = make_component(page, "API")
    make_component(page, "Website")
    assert title(drawn()) == "Acme Status: All Systems Operational"
    component_lifecycle.set_status(api, "partial_outage", actor=ALICE)
    headline = json.loads(get("/api/v2/status.json").content)["status"]["description"]
    assert title(drawn()) == f"Acme Status: {headline}" == "Acme Status: Minor Service Outage"


def test_it_is_not_green_while_an_incident_is_open_that_touches_no_component() -> None:
    page = make_page(name="Acme")
    make_component(page)
    make_maintenance(page)
    make_incident(page)
    assert title(drawn()) == "Acme Status: 1 Open Incident"
    assert COLORS[Impact.MINOR] in get("/badge.svg").content.decode()
    make_incident(page)
    assert title(drawn()) == "Acme Status: 2 Open Incidents"


@pytest.mark.parametrize("status", ComponentStatus)
def test_a_components_badge_says_its_status_in_words(status: ComponentStatus) -> None:
    page = make_page()
    component = make_component(page, "API", group=make_group(page, "Core"))
    Component.objects.filter(pk=component.pk).update(status=status)
    picture = drawn(of(component))
    assert title(picture) == f"Core - API: {status.label}"
    assert [text.text for text in picture.iter(f"{SVG}text")] == ["Core - API", status.label]


def test_its_name_for_screen_readers_is_its_title() -> None:
    make_page()
    picture = drawn()
    heading = picture.find(f"{SVG}title")
    assert heading is not None
    assert (picture.get("role"), picture.get("aria-labelledby")) == ("img", heading.get("id"))


def test_names_are_only_ever_text() -> None:
    wicked = '"><script>alert(1)</script>&amp;'
    component = make_component(make_page(), wicked)
    text = get(of(component)).content.decode()
    assert "<script" not in text
    assert title(drawn(of(component))).startswith('"><script>alert(1)</script>&amp;: ')


def test_a_long_name_is_cut_and_stays_within_the_picture() -> None:
    component = make_component(make_page(), "W" * 255)
    picture = drawn(of(component))
    name, word = picture.iter(f"{SVG}text")
    assert name.text == "W" * 59 + "…"
    assert float(word.get("x", "0")) + float(word.get("textLength", "0")) + 8 == float(picture.get("width", "0"))


def test_wide_letters_take_more_room_than_narrow_ones_and_accents_none() -> None:
    assert text_width("WWW") > text_width("aaa") > text_width("iii")
    assert text_width("状態") == 22
    assert text_width("e\u0301") == text_width("e")


def test_only_components_on_the_page_have_one() -> None:
    page = make_page()
    quiet = make_component(page, "Quiet", only_show_if_degraded=True)
    gone = make_component(page, "Gone")
    component_lifecycle.set_archived(gone, archived=True, actor=ALICE)
    elsewhere = make_component(make_page(name="Other", domain="other.example"))
    for component in (quiet, gone, elsewhere):
        assert get(of(component)).status_code == 404
    assert get("/components/nosuchcode12/badge.svg").status_code == 404


def test_its_colors_are_those_of_the_page() -> None:
    css = (Path(settings.BASE_DIR) / "static/css/tokens.css").read_text(encoding="utf-8")
    light = css.split("@media")[0]
    names = {"none": "green", "maintenance": "blue", "minor": "amber", "major": "orange", "critical": "red"}
    for impact, name in names.items():
        match = re.search(rf"--{name}: (#\w+);", light)
        assert match
        assert COLORS[Impact(impact)] == match.group(1)


def test_it_can_be_kept_and_asked_for_again_cheaply() -> None:
    component = make_component(make_page())
    for path, most in (("/badge.svg", 3), (of(component), 2)):
        first = get(path)
        assert "public" in first["Cache-Control"]
        assert get(path, if_none_match=first["ETag"]).status_code == 304
        with CaptureQueriesContext(connection) as queries:
            get(path)
        assert len(queries) <= most
