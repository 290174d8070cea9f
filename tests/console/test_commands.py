import pytest
from django.test import Client

from incidents.models import Component, Page
from tests.console.staff import form_to, parsed_page, signed_in
from tests.factories import make_component, make_group, make_incident, make_page, make_resolved, make_subscriber

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor")


def results(client: Client, query: str = "") -> list[str]:
    answer = client.get("/console/p/acme/commands", {"q": query})
    return [link.text for link in parsed_page(answer).one("ul", class_="commands-found").all("a")]


def test_without_words_it_offers_what_there_is_to_do_now(editor: Client, page: Page) -> None:
    make_incident(page, title="API outage")
    make_resolved(page, title="Old story")
    assert results(editor) == [
        "Post update: API outage",
        "Resolve: API outage",
        "Declare incident",
        "Schedule maintenance",
    ]


def test_words_find_places_incidents_and_people(editor: Client, page: Page) -> None:
    resolved = make_resolved(page, title="Slow webhooks in spring")
    make_subscriber(page, "webhooks@example.com")
    assert "Resolved Slow webhooks in spring" in results(editor, "webhooks SLOW")
    assert "Resolved Slow webhooks in spring" in results(editor, resolved.public_id.upper())
    assert "Subscriber webhooks@example.com" in results(editor, "webhooks@")
    assert "Go to Subscribers" in results(editor, "subscr")


def test_a_component_is_set_from_there(editor: Client, page: Page) -> None:
    component = make_component(page, "REST", group=make_group(page, "APIs"))
    document = parsed_page(editor.get("/console/p/acme/commands", {"q": "apis rest"}))
    action = f"/console/p/acme/components/{component.public_id}/status"
    form_to(document, action)
    editor.post(action, {"status": "degraded_performance"})
    assert Component.objects.get().status == "degraded_performance"


def test_a_viewer_finds_and_is_offered_nothing_to_do(page: Page) -> None:
    make_incident(page, title="API outage")
    viewer = signed_in("viewer")
    make_subscriber(page, "api@example.com")
    assert results(viewer, "api") == ["Investigating API outage"]
    assert "No results." in parsed_page(viewer.get("/console/p/acme/commands", {"q": "zzz"})).text


def test_for_htmx_it_is_a_fragment(editor: Client) -> None:
    answer = editor.get("/console/p/acme/commands", {"q": "declare"}, headers={"HX-Request": "true"})
    assert b"<html" not in answer.content
    assert b"Declare incident" in answer.content
