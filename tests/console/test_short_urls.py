"""The page is part of every console URL; a URL without it redirects to the first page."""

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern

from incidents.models import Page
from tests.console.pages import entries, url_of
from tests.console.staff import parsed_page, signed_in
from tests.factories import make_component, make_incident, make_page

pytestmark = pytest.mark.django_db

ALL = [pytest.param(entry, id=str(entry.name)) for entry in entries()]


@pytest.fixture(autouse=True)
def page() -> Page:
    return make_page()


def short(entry: URLPattern) -> str:
    return url_of(entry).replace("/console/p/acme/", "/console/")


@pytest.mark.parametrize("entry", ALL)
def test_a_short_url_redirects_to_the_first_page(entry: URLPattern) -> None:
    answer = signed_in("viewer").get(short(entry), {"q": "a b", "page": "2"})
    assert (answer.status_code, answer["Location"]) == (302, f"{url_of(entry)}?q=a+b&page=2")


@pytest.mark.parametrize("entry", ALL)
def test_a_post_to_a_short_url_is_repeated_with_its_body(entry: URLPattern) -> None:
    answer = signed_in("viewer").post(f"{short(entry)}?page=2", {"body": "Typed"})
    assert (answer.status_code, answer["Location"]) == (307, f"{url_of(entry)}?page=2")


def test_what_was_typed_into_an_old_form_arrives(page: Page) -> None:
    incident = make_incident(page)
    typed = {"body": "It is the database.", "status": "identified", "version": incident.version}
    signed_in("editor").post(f"/console/incidents/{incident.public_id}/update", typed, follow=True)
    assert incident.updates.newest_first()[0].body == "It is the database."


@pytest.mark.parametrize("path", ["nosuch", "incidents/a/b/c", "p/acme", "p/", "p/nosuch/", "p/nosuch/incidents"])
def test_an_unknown_url_is_not_found(path: str) -> None:
    assert signed_in("viewer").get(f"/console/{path}", follow=True).status_code in (
        404,
        200 if path == "p/acme" else 404,
    )


def test_the_short_url_of_a_domain_leads_to_the_page_of_that_domain(client: Client) -> None:
    other = make_page(name="Other", domain="testserver")
    assert signed_in("viewer").get("/console/incidents")["Location"] == f"/console/p/{other.public_id}/incidents"


def test_two_tabs_show_two_pages(page: Page) -> None:
    other = make_page(name="Other")
    incidents = {make_incident(each).title: each for each in (page, other)}
    editor = signed_in("editor")
    for title, each in incidents.items():
        document = parsed_page(editor.get(f"/console/p/{each.public_id}/"))
        assert [heading.text for heading in document.one("main").all("h3")] == [title]
        hrefs = [link.attributes["href"] for link in document.all("a")]
        console = [href for href in hrefs if href.startswith("/console/")]
        assert all(href.startswith(f"/console/p/{each.public_id}/") for href in console)


def test_a_page_url_shows_nothing_of_another_page(page: Page) -> None:
    """Every URL with a public id answers 404 where the object belongs to another page."""
    other = make_page(name="Other")
    incident, component = make_incident(other), make_component(other)
    owner = signed_in("owner")
    own: dict[str, Any] = {"incident": incident, "edit_component": component, "component_history": component}
    for entry in entries():
        for item in own.values():
            if "public_id" in entry.pattern.converters or "code" in entry.pattern.converters:
                answer = owner.get(url_of(entry, page.public_id, item.public_id))
                assert answer.status_code in (404, 405), entry.name
    for name, item in own.items():
        (entry,) = [entry for entry in entries() if entry.name == name]
        assert owner.get(url_of(entry, other.public_id, item.public_id)).status_code == 200
