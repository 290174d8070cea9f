"""Choosing what to be told of: on sign-up, behind the link to confirm, and on the subscriber's own page."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, ComponentGroup, Page
from statuspage.dispatcher.loop import drain
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from statuspage.subscribers.links import confirm_url, manage_url
from statuspage.subscribers.models import Subscriber, SubscriberState
from statuspage.subscribers.preferences import Preferences, preferences_of
from tests.console.staff import fields_of, parsed_page
from tests.factories import (
    ALICE,
    make_component,
    make_group,
    make_incident,
    make_maintenance,
    make_page,
    make_subscriber,
    make_subscriber_with,
)
from tests.notifications.mailbox import mails_to, part
from tests.public.parsed_page import Element
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db
HOST = "http://127.0.0.1:8000"


@pytest.fixture
def apis(page: Page) -> ComponentGroup:
    return make_group(page, "APIs")


@pytest.fixture
def rest(page: Page, apis: ComponentGroup) -> Component:
    return make_component(page, "REST", group=apis)


@pytest.fixture
def website(page: Page) -> Component:
    return make_component(page, "Website")


@pytest.fixture
def visitor(page: Page) -> Client:
    return Client(enforce_csrf_checks=True)


def the_form(document: Element) -> Element:
    """The one that asks what to be told of."""
    (form,) = [form for form in document.all("form") if form.all("input", name="scope")]
    return form


def subscribe(visitor: Client, **typed: Any) -> Any:
    """As a browser would send the form, with something typed into it."""
    fields = fields_of(the_form(parsed_page(visitor.get("/subscribe"))))
    return visitor.post("/subscribe", {**fields, "email": "ada@example.com", **typed})


def manage(visitor: Client, subscriber: Subscriber, **typed: Any) -> Any:
    path = manage_url(subscriber).removeprefix(HOST)
    fields = fields_of(the_form(parsed_page(visitor.get(path))))
    sent = {**fields, "action": "save", **typed}
    return visitor.post(path, {name: value for name, value in sent.items() if value is not None})


def chosen(email: str = "ada@example.com") -> Preferences:
    return preferences_of(Subscriber.objects.get(email=email))


def test_the_form_shows_one_field_and_collapses_the_rest(visitor: Client, rest: Component) -> None:
    document = parsed_page(visitor.get("/subscribe"))
    form = the_form(document)
    assert "open" not in form.one("details").attributes
    shown = [field for field in form.all("input") if field not in list(form.one("details").walk())]
    assert [field.attributes["name"] for field in shown] == ["email", "website"]
    assert "All of APIs" in form.one("details").text
    assert not form.all("script")


def test_who_touches_nothing_is_told_of_everything(visitor: Client, rest: Component) -> None:
    assert subscribe(visitor).status_code == 200
    assert chosen() == Preferences()


def test_parts_kinds_and_detail_are_kept_until_they_are_confirmed(
    visitor: Client, apis: ComponentGroup, rest: Component, website: Component
) -> None:
    response = subscribe(
        visitor,
        scope="selected",
        groups=[apis.public_id],
        components=[website.public_id],
        kinds=["incidents"],
        detail="milestones",
    )
    assert response.status_code == 200
    preferences = chosen()
    assert not preferences.whole_page
    assert (preferences.groups, preferences.components) == ((apis,), (website,))
    assert (preferences.kinds, preferences.detail) == (["incidents"], "milestones")


def test_choosing_some_of_it_and_naming_none_is_asked_back(visitor: Client, rest: Component) -> None:
    response = subscribe(visitor, scope="selected", kinds=["incidents"])
    assert response.status_code == 400
    form = the_form(parsed_page(response))
    assert "open" in form.one("details").attributes
    assert "Choose at least one component" in form.one("p", id="scope-error").text
    assert fields_of(form)["scope"] == ["selected"]
    assert fields_of(form)["kinds"] == ["incidents"]
    assert 'value="ada@example.com"' in response.content.decode()
    assert not Subscriber.objects.exists()


def test_an_empty_post_is_asked_for_the_address(visitor: Client) -> None:
    response = visitor.post("/subscribe")
    assert response.status_code == 400
    assert "Enter an email address." in parsed_page(response).text


def test_no_kind_at_all_is_asked_back(visitor: Client, page: Page) -> None:
    response = subscribe(visitor, kinds=[])
    assert response.status_code == 400
    assert "Choose at least one type of notification" in parsed_page(response).one("p", id="kinds-error").text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("components", "nosuchcode12"),
        ("groups", "nosuchcode12"),
        ("incidents", "nosuchcode12"),
        ("scope", "universe"),
        ("detail", "rarely"),
        ("kinds", "gossip"),
        ("time_zone", "Mars/Olympus"),
        ("language", "xx"),
    ],
)
def test_what_was_not_offered_changes_nothing(visitor: Client, rest: Component, field: str, value: str) -> None:
    response = subscribe(visitor, **{"scope": "selected", field: value})
    assert response.status_code == 400
    assert not Subscriber.objects.exists()


def test_another_pages_components_cannot_be_chosen(visitor: Client, rest: Component) -> None:
    elsewhere = make_component(make_page(name="Other"), "Secret")
    assert "Secret" not in parsed_page(visitor.get("/subscribe")).text
    assert subscribe(visitor, scope="selected", components=[elsewhere.public_id]).status_code == 400


def test_a_component_that_visitors_do_not_see_is_not_offered(visitor: Client, page: Page) -> None:
    make_component(page, "Hidden while well", only_show_if_degraded=True)
    assert "Hidden while well" not in parsed_page(visitor.get("/subscribe")).text


def test_an_incident_page_leads_to_a_form_for_it_alone(visitor: Client, page: Page) -> None:
    incident = make_incident(page, title="API outage")
    link = parsed_page(visitor.get(f"/incidents/{incident.public_id}")).all("a", class_="button")[-1]
    assert link.text == "Subscribe to this incident"
    document = parsed_page(visitor.get(link.attributes["href"]))
    assert document.one("h1").text == "Subscribe to this incident"
    assert "API outage" in document.text
    (form,) = [form for form in document.all("form") if form.attributes.get("action") == "/subscribe"]
    response = visitor.post("/subscribe", {**fields_of(form), "email": "ada@example.com"})
    assert response.status_code == 200
    assert not response.cookies
    assert chosen() == Preferences(whole_page=False, incidents=(incident,))


def test_a_maintenance_page_leads_to_a_form_for_it_alone(visitor: Client, page: Page) -> None:
    maintenance = make_maintenance(page, title="Database upgrade")
    link = parsed_page(visitor.get(f"/incidents/{maintenance.public_id}")).all("a", class_="button")[-1]
    assert link.text == "Subscribe to this maintenance"
    document = parsed_page(visitor.get(link.attributes["href"]))
    assert document.one("h1").text == "Subscribe to this maintenance"
    subscriber = make_subscriber_with(page, "ada@example.com", incidents=(maintenance,))
    assert "Database upgrade" in parsed_page(visitor.get(urlsplit(manage_url(subscriber)).path)).text


def test_the_form_of_one_incident_comes_back_as_that(visitor: Client, page: Page) -> None:
    incident = make_incident(page)
    response = visitor.post("/subscribe", {"email": "ada", "incident": incident.public_id})
    assert response.status_code == 400
    assert parsed_page(response).one("input", name="incident").attributes["value"] == incident.public_id


def test_a_resolved_incident_offers_no_subscription(visitor: Client, page: Page) -> None:
    incident = make_incident(page)
    incident_actions.resolve(incident, UpdateInput(body="Done."), restore=None, actor=ALICE)
    assert "Subscribe to this incident" not in visitor.get(f"/incidents/{incident.public_id}").content.decode()


def test_an_incident_that_visitors_may_not_see_is_a_404(visitor: Client, page: Page) -> None:
    hidden = make_incident(page, title="Secret outage")
    incident_actions.hide(hidden, actor=ALICE, reason="Not ours.")
    elsewhere = make_incident(make_page(name="Other"))
    for code in (hidden.public_id, elsewhere.public_id, "nosuchcode12", "x" * 3000):
        for response in (
            visitor.get("/subscribe", {"incident": code}),
            visitor.post("/subscribe", {"incident": code, "email": "ada@example.com"}),
        ):
            assert response.status_code == 404
            assert "Secret outage" not in response.content.decode()
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("state", [SubscriberState.ACTIVE, SubscriberState.PAUSED])
def test_a_stranger_cannot_change_what_somebody_is_told_of(
    visitor: Client, page: Page, rest: Component, state: SubscriberState
) -> None:
    subscriber = make_subscriber_with(page, "ada@example.com", components=(rest,), detail="milestones")
    Subscriber.objects.filter(pk=subscriber.pk).update(state=state)
    before = chosen()
    known = subscribe(visitor, kinds=["postmortems"])
    unknown = subscribe(visitor, kinds=["postmortems"], email="bob@example.com")
    assert known.content.replace(b"ada", b"bob") == unknown.content
    assert chosen() == before
    assert chosen("bob@example.com").kinds == ["postmortems"]


@pytest.mark.django_db(transaction=True)
def test_the_reminder_leads_to_the_page_that_changes_it(visitor: Client, page: Page, sink: SmtpSink) -> None:
    make_subscriber(page, "ada@example.com")
    subscribe(visitor, kinds=["postmortems"])
    drain()
    (message,) = mails_to(sink, "ada@example.com")
    match = re.search(HOST + r"(/subscribers/\S+)", part(message, "plain"))
    assert match
    assert "Your subscription has not changed." in part(message, "plain")
    assert the_form(parsed_page(visitor.get(match.group(1))))


@pytest.mark.parametrize("state", [SubscriberState.PENDING, SubscriberState.UNSUBSCRIBED])
def test_the_last_preferences_before_confirmation_apply(visitor: Client, page: Page, state: SubscriberState) -> None:
    make_subscriber(page, "ada@example.com", state=state, confirmed_at=None)
    subscribe(visitor, kinds=["postmortems"])
    subscribe(visitor, kinds=["incidents"])
    assert chosen().kinds == ["incidents"]


def test_the_page_to_confirm_says_what_is_confirmed_and_then_where_to_change_it(
    visitor: Client, page: Page, rest: Component
) -> None:
    subscribe(visitor, scope="selected", components=[rest.public_id], kinds=["incidents", "postmortems"])
    subscriber = Subscriber.objects.get()
    path = confirm_url(subscriber).removeprefix(HOST)
    text = parsed_page(visitor.get(path)).text
    assert "APIs - REST" in text
    assert "Incidents, postmortems" in text
    assert "Manage your subscription" not in text
    link = parsed_page(visitor.post(path)).one("a", class_="quiet")
    assert the_form(parsed_page(visitor.get(link.attributes["href"].removeprefix(HOST))))


def test_the_manage_page_changes_all_of_it(
    visitor: Client, page: Page, apis: ComponentGroup, rest: Component, website: Component
) -> None:
    subscriber = make_subscriber_with(page, "ada@example.com", components=(website,))
    incident = make_incident(page, title="API outage")
    response = manage(
        visitor,
        subscriber,
        components=[rest.public_id],
        groups=[apis.public_id],
        incidents=[incident.public_id],
        kinds=["maintenances"],
        detail="milestones",
        time_zone="Europe/Berlin",
    )
    assert response.status_code == 200
    assert not response.cookies
    assert "Preferences saved." in parsed_page(response).text
    assert chosen() == Preferences(
        whole_page=False,
        groups=(apis,),
        components=(rest,),
        incidents=(incident,),
        tells_incidents=False,
        tells_postmortems=False,
        detail="milestones",
        time_zone="Europe/Berlin",
    )
    assert fields_of(the_form(parsed_page(response)))["time_zone"] == ["Europe/Berlin"]


def test_sending_the_manage_page_as_it_came_changes_nothing(
    visitor: Client, page: Page, apis: ComponentGroup, rest: Component
) -> None:
    over = make_incident(page)
    subscriber = make_subscriber_with(
        page,
        "ada@example.com",
        groups=(apis,),
        components=(rest,),
        incidents=(over,),
        time_zone="Etc/GMT+5",
        tells_postmortems=False,
    )
    incident_actions.resolve(over, UpdateInput(body="Done."), restore=None, actor=ALICE)
    Component.objects.filter(pk=rest.pk).update(only_show_if_degraded=True)
    before = chosen()
    assert manage(visitor, subscriber).status_code == 200
    assert chosen() == before


def test_the_whole_page_wins_over_parts_that_are_folded_away(visitor: Client, page: Page, rest: Component) -> None:
    subscriber = make_subscriber_with(page, "ada@example.com", components=(rest,))
    manage(visitor, subscriber, scope="page")
    assert chosen() == Preferences()


def test_a_mistake_on_the_manage_page_saves_nothing_and_keeps_what_was_chosen(
    visitor: Client, page: Page, rest: Component
) -> None:
    subscriber = make_subscriber_with(page, "ada@example.com", components=(rest,))
    response = manage(visitor, subscriber, components=None, time_zone="Asia/Tokyo")
    assert response.status_code == 400
    assert "Your changes were not saved" in parsed_page(response).text
    assert fields_of(the_form(parsed_page(response)))["time_zone"] == ["Asia/Tokyo"]
    assert chosen().components == (rest,)
    assert chosen().time_zone == ""


def test_a_language_can_be_chosen_where_there_are_several(visitor: Client, page: Page, settings: Settings) -> None:
    subscriber = make_subscriber_with(page, "ada@example.com")
    path = manage_url(subscriber).removeprefix(HOST)
    assert not parsed_page(visitor.get(path)).all("select", id="language")
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    assert manage(visitor, subscriber, language="de").status_code == 200
    assert chosen().language == "de"


def test_who_has_left_is_offered_to_come_back_and_nothing_else(visitor: Client, page: Page) -> None:
    subscriber = make_subscriber_with(page, "ada@example.com")
    subscriber.unsubscribe()
    document = parsed_page(visitor.get(manage_url(subscriber).removeprefix(HOST)))
    assert [button.text for button in document.all("button")] == ["Subscribe again"]


def test_many_components_cost_the_manage_page_no_more_queries(
    visitor: Client, page: Page, apis: ComponentGroup, django_assert_max_num_queries: Any
) -> None:
    components = tuple(make_component(page, f"Part {number}", group=apis) for number in range(40))
    incidents = tuple(make_incident(page) for _ in range(10))
    subscriber = make_subscriber_with(page, "ada@example.com", components=components, incidents=incidents)
    with django_assert_max_num_queries(5):
        assert visitor.get(manage_url(subscriber).removeprefix(HOST)).status_code == 200


def test_a_thousand_networks_that_type_one_address_cause_one_mail(page: Page, settings: Settings) -> None:
    settings.SUBSCRIBE_LIMIT_GLOBAL = settings.SUBSCRIBE_LIMIT_PER_DOMAIN = 10_000
    for number in range(1000):
        response = Client().post(
            "/subscribe", {"email": "ada@example.com"}, REMOTE_ADDR=f"198.51.{number // 250}.{number % 250}"
        )
        assert response.status_code == 200
    fan_out_waiting()
    assert Delivery.objects.count() == 1
