"""What a screen reader, a keyboard and tired eyes need, on every kind of page."""

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from incidents.actions.incidents import incident_lifecycle
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.models.states import ComponentStatus
from statuspage.subscribers.links import manage_url
from tests.factories import (
    ALICE,
    make_component,
    make_group,
    make_incident,
    make_page,
    make_resolved,
    make_subscriber_with,
)
from tests.public.parsed_page import Element, read

CSS = Path(settings.BASE_DIR) / "static" / "css"
KINDS = ["home", "home with incident", "incident", "postmortem", "history", "uptime", "component uptime", "not found"]
KINDS += ["subscribe", "manage"]


@pytest.fixture(params=KINDS)
def document(request: pytest.FixtureRequest, db: None) -> Element:
    page = make_page(description="About us.", support_url="https://help.example.com/")
    group = make_group(page)
    for status in ComponentStatus:
        make_component(page, f"Part {status}", group=group, status=status)
    past = make_resolved(page)
    postmortem_lifecycle.publish(past, body="## Why\n\nIt was us.", actor=ALICE)
    postmortem_lifecycle.publish(
        past,
        body="## Why\n\nIt was all of us.",
        actor=ALICE,
        action_items=[ActionItemDraft(text="Do better", url="https://example.com/")],
    )
    if request.param not in ("home", "postmortem"):
        incident = make_incident(page, components={make_component(page): "partial_outage"})
        incident_lifecycle.edit_update(incident.updates.get(), body="We are looking at it.", actor=ALICE)
    code = past.public_id if request.param == "postmortem" or request.param == "home" else incident.public_id
    path = {"home": "/", "home with incident": "/", "history": "/history", "not found": "/nothing-here"}
    path |= {"uptime": "/uptime", "component uptime": f"/uptime/{group.components.all()[0].public_id}"}
    path |= {
        "subscribe": "/subscribe",
        "manage": urlsplit(manage_url(make_subscriber_with(page, groups=(group,)))).path,
    }
    status_code = 404 if request.param == "not found" else 200
    return read(path.get(request.param, f"/incidents/{code}"), status=status_code)


def test_a_page_has_one_first_heading_a_language_and_a_title(document: Element) -> None:
    assert document.one("h1").text
    assert document.one("html").attributes["lang"] == "en"
    assert document.one("title").text


def test_headings_leave_out_no_level(document: Element) -> None:
    levels = [int(element.tag[1]) for element in document.walk() if re.fullmatch("h[1-6]", element.tag)]
    assert levels[0] == 1
    assert all(lower - upper <= 1 for upper, lower in pairwise(levels)), levels


def test_landmarks_are_there_once_and_the_first_link_skips_to_the_content(document: Element) -> None:
    for landmark in ("header", "main", "footer"):
        assert len([e for e in document.one("body").content if isinstance(e, Element) and e.tag == landmark]) == 1
    assert document.all("a")[0].attributes["href"] == f"#{document.one('main').attributes['id']}"


def test_every_name_that_is_referred_to_exists_once(document: Element) -> None:
    names = [element.attributes["id"] for element in document.walk() if "id" in element.attributes]
    assert len(names) == len(set(names))
    labels = [e.attributes["aria-labelledby"] for e in document.walk() if "aria-labelledby" in e.attributes]
    assert set(labels) <= set(names)


def test_every_time_can_be_read_by_machines(document: Element) -> None:
    for time in document.all("time"):
        assert re.fullmatch(r"\d{4}-\d\d(-\d\d(T\d\d:\d\d:\d\dZ)?)?", time.attributes["datetime"]), time.text


def test_every_colour_has_its_word(document: Element) -> None:
    marked = [e for e in document.walk() if "status" in e.classes]
    assert all(element.text for element in marked)


def test_no_style_or_script_stands_in_the_page(document: Element) -> None:
    assert not [e.tag for e in document.walk() if "style" in e.attributes or e.tag == "style"]
    assert not [e.text for e in document.all("script") if e.text]
    assert not [name for e in document.walk() for name in e.attributes if name.startswith("on")]


def test_links_and_folds_have_a_name(document: Element) -> None:
    assert all(element.text for tag in ("a", "summary", "button") for element in document.all(tag))


def tokens(scheme: str) -> dict[str, str]:
    text = (CSS / "tokens.css").read_text()
    light, dark = text.split("@media screen and (prefers-color-scheme: dark)")
    colour = re.compile(r"--([a-z-]+): (#[0-9a-f]{3,6});")
    return dict(colour.findall(light)) | (dict(colour.findall(dark)) if scheme == "dark" else {})


def channels(colour: str) -> list[float]:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    return [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]


def luminance(rgb: list[float]) -> float:
    """WCAG 2.2, relative luminance."""
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(color: list[float], background: list[float]) -> float:
    darker, lighter = sorted([luminance(color), luminance(background)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "muted", "accent", "green", "blue", "amber", "orange", "red"])
def test_every_text_colour_has_contrast_on_every_ground(scheme: str, text: str) -> None:
    palette = {name: channels(colour) for name, colour in tokens(scheme).items()}
    for ground in ("paper", "surface", "raised"):
        assert contrast(palette[text], palette[ground]) >= 4.5, (scheme, text, ground)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tone", ["green", "blue", "amber", "orange", "red", "muted"])
def test_a_badge_has_contrast_on_its_own_tint(scheme: str, tone: str) -> None:
    palette = {name: channels(colour) for name, colour in tokens(scheme).items()}
    tint = [0.1 * a + 0.9 * b for a, b in zip(palette[tone], palette["paper"], strict=True)]
    assert contrast(palette[tone], tint) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_borders_of_controls_can_be_seen(scheme: str) -> None:
    palette = {name: channels(colour) for name, colour in tokens(scheme).items()}
    assert contrast(palette["line-strong"], palette["raised"]) >= 3


@pytest.mark.parametrize("status", list(ComponentStatus))
def test_each_component_status_has_an_icon_of_its_own(status: ComponentStatus) -> None:
    rules = re.findall(r"([^{}]+)\{([^{}]+)\}", (CSS / "tokens.css").read_text())
    icons = {s: body.split("--icon: ")[1] for s in ComponentStatus for names, body in rules if f'"{s}"' in names}
    assert len(set(icons.values())) == len(ComponentStatus)
    assert status in icons
