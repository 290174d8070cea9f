"""What a screen reader and a keyboard need, on the console pages beyond the main job and on those of signing in."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.mail import EmailMessage, get_connection
from django.test import Client
from pytest_django import Settings

from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.models import Incident, Page
from tests.console.staff import parsed_page, signed_in
from tests.factories import ALICE, make_component, make_group, make_page, make_resolved, make_subscriber
from tests.public.parsed_page import Element

PAGES = [
    "/accounts/login/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/inactive/",
    "/accounts/logout/",
    "/accounts/password/change/",
    "/console/p/acme/components",
    "/console/p/acme/components/new",
    "/console/p/acme/components/{component}",
    "/console/p/acme/groups/new",
    "/console/p/acme/groups/{group}",
    "/console/p/acme/incidents/{incident}/postmortem",
    "/console/p/acme/incidents/{incident}/postmortem/retract",
    "/console/p/acme/subscribers",
    "/console/p/acme/subscribers/{subscriber}/unsubscribe",
    "/console/p/acme/mail",
    "/console/p/acme/mail/{mail}",
    "/console/p/acme/account",
    "/console/p/acme/people",
    "/console/p/acme/tokens",
    "/console/p/acme/retention",
]
STRANGERS = ("/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/", "/accounts/inactive/")


@pytest.fixture
def codes(page: Page, settings: Settings, tmp_path: Path) -> dict[str, str]:
    settings.MAIL_DIR = tmp_path
    connection = get_connection("statuspage.notifications.transports.eml_files.EmlBackend")
    EmailMessage("Hello", "Text", "a@example.org", ["b@example.org"], connection=connection).send()
    group = make_group(page)
    return {
        "group": group.public_id,
        "component": make_component(page, group=group, status="partial_outage").public_id,
        "incident": _explained(page).public_id,
        "subscriber": make_subscriber(page).public_id,
        "mail": next(path.name for path in tmp_path.glob("*.eml")),
    }


def _explained(page: Page) -> Incident:
    incident = make_resolved(page)
    items = [ActionItemDraft("Do better", owner="Dana")]
    postmortem_lifecycle.publish(incident, body="## Why\n\nIt was us.", actor=ALICE, action_items=items)
    return incident


@pytest.fixture
def page(db: None) -> Page:
    return make_page()


@pytest.fixture(params=PAGES)
def document(request: pytest.FixtureRequest, codes: dict[str, str]) -> Element:
    client = Client() if request.param in STRANGERS else signed_in("owner", email="owner@example.org")
    answer = client.get(request.param.format(**codes))
    assert answer.status_code == 200
    return parsed_page(answer)


def test_a_page_has_one_first_heading_a_main_part_and_a_title(document: Element) -> None:
    assert document.one("h1").text.strip()
    assert document.one("main")
    assert not document.one("head").one("title").text.strip().startswith("-")


def test_headings_leave_out_no_level(document: Element) -> None:
    levels = [int(element.tag[1]) for element in document.walk() if re.fullmatch("h[1-6]", element.tag)]
    assert levels[0] == 1
    assert all(lower - upper <= 1 for upper, lower in pairwise(levels)), levels


def test_every_control_has_a_name(document: Element) -> None:
    labelled = {label.attributes.get("for") for label in document.all("label")}
    inside = {id(control) for label in document.all("label") for control in label.walk()}
    for control in document.walk():
        if control.tag in ("select", "textarea") or (
            control.tag == "input" and control.attributes.get("type") != "hidden"
        ):
            assert control.attributes.get("id") in labelled or id(control) in inside, control.attributes
        if control.tag in ("button", "a"):
            assert control.text.strip(), control.attributes


def test_every_name_that_is_referred_to_exists_once(document: Element) -> None:
    names = [element.attributes["id"] for element in document.walk() if "id" in element.attributes]
    assert len(names) == len(set(names))
    for element in document.walk():
        for attribute in ("aria-labelledby", "aria-describedby", "for"):
            assert set(element.attributes.get(attribute, "").split()) <= set(names), element.attributes


def test_buttons_that_look_alike_say_what_they_act_on(document: Element) -> None:
    """Read one by one, out of their rows."""
    names = [button.text for button in document.all("button") if button.attributes.get("name") not in ("save", None)]
    assert len(names) == len(set(names)), names


def test_no_style_or_script_stands_in_the_page(document: Element) -> None:
    assert not [e.tag for e in document.walk() if "style" in e.attributes or e.tag == "style"]
    assert not [e for e in document.walk() if e.tag == "script" and "src" not in e.attributes]
    assert not [name for e in document.walk() for name in e.attributes if name.startswith("on")]
