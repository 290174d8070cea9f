"""Choosing what a webhook is told of: on sign-up, behind the link to confirm, and on the page to manage it."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from incidents.models import Component, ComponentGroup, Page
from statuspage.dispatcher.loop import drain
from statuspage.subscribers.links import confirm_url, manage_url
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.preferences import Preferences, preferences_of, set_preferences
from tests.console.staff import fields_of, form_to, parsed_page
from tests.factories import make_component, make_endpoint, make_group, make_incident
from tests.public.parsed_page import Element
from tests.receivers import Receiver

pytestmark = pytest.mark.django_db(transaction=True)

FORM = "/subscribe/webhook"
HOOK = "https://example.com/hook"


@pytest.fixture
def apis(page: Page) -> ComponentGroup:
    return make_group(page, "APIs")


@pytest.fixture
def rest(page: Page, apis: ComponentGroup) -> Component:
    return make_component(page, "REST", group=apis)


@pytest.fixture
def website(page: Page) -> Component:
    return make_component(page, "Website")


def sign_up(client: Client, **typed: Any) -> Any:
    """As a browser would send the form, with something typed into it."""
    fields = fields_of(form_to(parsed_page(client.get(FORM)), FORM))
    return client.post(FORM, {**fields, "endpoint": HOOK, "email": "ada@example.org", **typed})


def manage(client: Client, hook: Subscriber, **typed: Any) -> Any:
    forms = parsed_page(client.get(manage_url(hook))).all("form")
    (form,) = [form for form in forms if form.all("input", name="scope")]
    return client.post(manage_url(hook), {**fields_of(form), "action": "save", **typed})


def chosen() -> Preferences:
    return preferences_of(Subscriber.objects.get(channel=Channel.WEBHOOK))


def fold(response: Any) -> Element:
    return parsed_page(response).one("details")


def test_the_form_shows_two_addresses_and_collapses_the_rest(client: Client, rest: Component) -> None:
    document = parsed_page(client.get(FORM))
    folded = list(document.one("details").walk())
    text = [field.attributes["name"] for field in document.all("input") if field not in folded]
    assert text == ["endpoint", "email", "website"]
    assert "open" not in document.one("details").attributes
    assert "All of APIs" in document.one("details").text
    assert "Time zone" not in document.one("details").text


def test_a_webhook_is_told_of_everything_if_nothing_is_touched_or_asked(client: Client, rest: Component) -> None:
    sign_up(client)
    assert chosen() == Preferences()
    client.post(FORM, {"endpoint": f"{HOOK}/2", "email": "bob@example.org"})
    assert preferences_of(Subscriber.objects.get(email="bob@example.org")) == Preferences()


def test_parts_kinds_and_detail_are_kept_and_shown_before_they_are_confirmed(
    client: Client, apis: ComponentGroup, rest: Component, website: Component
) -> None:
    parts = {"groups": [apis.public_id], "components": [website.public_id]}
    assert sign_up(client, scope="selected", kinds=["incidents"], detail="milestones", **parts).status_code == 200
    preferences = chosen()
    assert (preferences.whole_page, preferences.groups, preferences.components) == (False, (apis,), (website,))
    assert (preferences.kinds, preferences.detail) == (["incidents"], "milestones")
    text = parsed_page(client.get(confirm_url(Subscriber.objects.get()))).one("main").text
    assert "APIs (whole group)" in text
    assert "Website" in text
    assert "Time zone" not in text


def test_choosing_some_of_it_and_naming_none_is_asked_back_with_both_addresses_still_there(
    client: Client, rest: Component
) -> None:
    response = sign_up(client, scope="selected", kinds=["incidents"])
    assert response.status_code == 400
    assert "open" in fold(response).attributes
    assert "Choose at least one component" in fold(response).one("p", id="scope-error").text
    fields = fields_of(form_to(parsed_page(response), FORM))
    assert (fields["endpoint"], fields["email"], fields["kinds"]) == ([HOOK], ["ada@example.org"], ["incidents"])
    assert not Subscriber.objects.exists()


def test_a_component_that_is_not_on_the_page_is_refused(client: Client, rest: Component) -> None:
    response = sign_up(client, scope="selected", components=["nosuchcode12"])
    assert response.status_code == 400
    assert "This no longer exists on the page" in fold(response).text
    assert not Subscriber.objects.exists()


def test_who_asks_again_before_confirming_is_told_of_what_they_asked_last(client: Client, website: Component) -> None:
    sign_up(client)
    sign_up(client, scope="selected", components=[website.public_id])
    assert chosen().components == (website,)


@pytest.mark.parametrize("state", [SubscriberState.ACTIVE, SubscriberState.VERIFYING, SubscriberState.PAUSED])
def test_a_stranger_who_types_a_confirmed_webhook_changes_nothing(
    page: Page, client: Client, website: Component, state: str
) -> None:
    make_endpoint(page, HOOK, email="ada@example.org", state=state)
    sign_up(client, scope="selected", components=[website.public_id])
    assert chosen() == Preferences()


def test_the_owner_changes_all_of_it_later_but_neither_zone_nor_language(
    page: Page, client: Client, website: Component, settings: Settings
) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    hook = make_endpoint(page, HOOK, email="ada@example.org")
    set_preferences(hook, Preferences(time_zone="Europe/Zurich", language="de"))
    response = manage(client, hook, scope="selected", components=[website.public_id], kinds=["incidents"])
    assert "Preferences saved." in parsed_page(response).one("main").text
    preferences = chosen()
    assert (preferences.components, preferences.kinds) == ((website,), ["incidents"])
    assert (preferences.time_zone, preferences.language) == ("Europe/Zurich", "de")


def test_a_choice_that_makes_no_sense_is_not_saved(page: Page, client: Client, website: Component) -> None:
    hook = make_endpoint(page, HOOK, email="ada@example.org")
    response = manage(client, hook, scope="selected")
    assert response.status_code == 400
    assert "Your changes were not saved" in parsed_page(response).one("main").text
    assert chosen() == Preferences()


def test_a_webhook_receives_only_events_of_the_selected_components(
    page: Page, client: Client, website: Component, rest: Component, receiver: Receiver, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    hook = make_endpoint(page, receiver.url(), email="ada@example.org")
    manage(client, hook, scope="selected", components=[website.public_id], kinds=["incidents"])
    make_incident(page, title="API outage", components={rest: "major_outage"})
    make_incident(page, title="Site outage", components={website: "major_outage"})
    drain()
    assert [received.json["incident"]["name"] for received in receiver.requests] == ["Site outage"]
