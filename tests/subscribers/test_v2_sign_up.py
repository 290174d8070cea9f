"""Signing up by a program, as Statuspage's own script does it (contract, 1.6): the form's promises hold here."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from incidents.models import Page
from statuspage.dispatcher.loop import drain
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.preferences import preferences_of
from tests.factories import make_component, make_group, make_incident, make_page, make_resolved, make_subscriber
from tests.notifications.mailbox import mails_to, part
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v2/subscribers.json"
ADA = "ada@example.com"
KEYS = ["id", "email", "mode", "created_at", "quarantined_at", "incident", "skip_confirmation_notification", "purge_at"]


@pytest.fixture
def program(page: Page) -> Client:
    return Client(enforce_csrf_checks=True)


def ask(program: Client, path: str = PATH, **fields: str) -> Any:
    """A form, as jQuery sends it: `subscriber[email]=…`."""
    return program.post(path, {f"subscriber[{name}]": value for name, value in fields.items()})


def take_back(program: Client, public_id: str) -> Any:
    return program.delete(f"/api/v2/subscribers/{public_id}.json")


def json_of(response: Any) -> Any:
    return json.loads(response.content)


def forget_deliveries() -> None:
    fan_out_waiting()
    Delivery.objects.all().delete()


def kinds_owed() -> list[str]:
    fan_out_waiting()
    return [delivery.kind for delivery in Delivery.objects.order_by("pk")]


def test_an_unconfirmed_address_receives_only_the_request(program: Client, page: Page, sink: SmtpSink) -> None:
    response = ask(program, email=" Ada@Example.com ")
    body = json_of(response)
    assert (response.status_code, list(body), list(body["subscriber"])) == (201, ["page", "subscriber"], KEYS)
    assert (body["page"]["id"], body["subscriber"]["email"]) == (page.public_id, ADA)
    assert not response.cookies
    make_incident(page)
    drain()
    assert [str(mail["Subject"]) for mail in mails_to(sink, ADA)] == ["[Acme] Please confirm your subscription"]
    assert Subscriber.objects.get().state == SubscriberState.PENDING


@pytest.mark.parametrize("state", SubscriberState)
def test_the_answer_is_the_same_whether_the_address_is_known_or_not(
    program: Client, page: Page, state: SubscriberState
) -> None:
    with time_machine.travel(datetime(2026, 5, 1, tzinfo=UTC), tick=False):
        unknown, again = ask(program, email=ADA), ask(program, email=ADA)
        Subscriber.objects.all().delete()
        make_subscriber(page, ADA, state=state, created_at=datetime(2020, 1, 1, tzinfo=UTC))
        known, once_more = ask(program, email=ADA), ask(program, email=ADA)
    assert unknown.content == again.content
    assert known.content == once_more.content
    assert set(known.headers) == set(unknown.headers)
    first, second = json_of(unknown)["subscriber"], json_of(known)["subscriber"]
    assert len(first.pop("id")) == len(second.pop("id")) == 12
    assert first == second


def test_however_often_it_is_asked_an_address_gets_one_mail_a_day(program: Client, sink: SmtpSink) -> None:
    public_id = json_of(ask(program, email=ADA))["subscriber"]["id"]
    for _ in range(3):
        assert ask(program, email=ADA).status_code == 201
        assert ask(program, f"/api/v2/subscribers/{public_id}/resend_confirmation.json").status_code == 201
    drain()
    assert len(mails_to(sink, ADA)) == 1


def test_after_a_day_the_mail_that_asks_to_confirm_can_be_sent_again(program: Client) -> None:
    with time_machine.travel(datetime(2026, 5, 1, tzinfo=UTC), tick=False):
        public_id = json_of(ask(program, email=ADA))["subscriber"]["id"]
        forget_deliveries()
    with time_machine.travel(datetime(2026, 5, 2, 0, 0, 1, tzinfo=UTC), tick=False):
        ask(program, f"/api/v2/subscribers/{public_id}/resend_confirmation")
    assert kinds_owed() == [DeliveryKind.CONFIRMATION]


def test_an_id_alone_ends_nothing_but_has_the_link_sent_that_does(program: Client, page: Page, sink: SmtpSink) -> None:
    subscriber = make_subscriber(page, ADA)
    response = take_back(program, subscriber.public_id)
    subscriber.refresh_from_db()
    assert (response.status_code, subscriber.state) == (200, SubscriberState.ACTIVE)
    assert ADA not in response.content.decode()
    drain()
    (mail,) = mails_to(sink, ADA)
    assert "/unsubscribe/" in part(mail, "plain")


def test_the_id_can_stand_in_the_body_as_the_script_sends_it(program: Client, page: Page) -> None:
    subscriber = make_subscriber(page, ADA)
    form = "application/x-www-form-urlencoded"
    response = program.delete(PATH, f"subscriber[id]={subscriber.public_id}", content_type=form)
    assert (response.status_code, json_of(response)["subscriber"]["id"]) == (200, subscriber.public_id)
    assert kinds_owed() == [DeliveryKind.REMINDER]


def test_who_has_not_confirmed_is_sent_nothing_for_leaving(program: Client) -> None:
    public_id = json_of(ask(program, email=ADA))["subscriber"]["id"]
    forget_deliveries()
    Subscriber.objects.update(confirmation_sent_at=None)
    assert take_back(program, public_id).status_code == 200
    assert kinds_owed() == []


@pytest.mark.parametrize("public_id", ["nosuchcode12", "a", "x" * 300])
def test_an_id_that_there_is_not_is_not_found(program: Client, public_id: str) -> None:
    assert take_back(program, public_id).status_code == 404
    assert ask(program, f"/api/v2/subscribers/{public_id}/resend_confirmation.json").status_code == 404


def test_subscribers_of_another_page_and_endpoints_are_out_of_reach(program: Client, page: Page) -> None:
    elsewhere = make_subscriber(make_page(name="Other", domain="other.example"), ADA)
    hook = Subscriber.objects.create(page=page, channel=Channel.WEBHOOK, endpoint="https://a.example/", email=ADA)
    assert [take_back(program, subscriber.public_id).status_code for subscriber in (elsewhere, hook)] == [404, 404]


def test_one_can_follow_components_or_an_open_incident_alone(program: Client, page: Page) -> None:
    api = make_component(page, "API", group=make_group(page))
    web = make_component(page, "Web")
    incident = make_incident(page)
    ask(program, email=ADA, component_id=api.public_id)
    preferences = preferences_of(Subscriber.objects.get())
    assert (preferences.whole_page, preferences.components) == (False, (api,))
    response = ask(program, email="bob@example.com", incident=incident.public_id)
    preferences = preferences_of(Subscriber.objects.get(email="bob@example.com"))
    assert (preferences.whole_page, preferences.incidents) == (False, (incident,))
    assert json_of(response)["subscriber"]["incident"] == incident.public_id
    both = {"subscriber": {"email": "eve@example.com", "component_ids": [api.public_id, web.public_id]}}
    assert program.post(PATH, both, content_type="application/json").status_code == 201
    assert set(preferences_of(Subscriber.objects.get(email="eve@example.com")).components) == {api, web}


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "ada@example.com\nBcc: eve@example.com", "a" * 300 + "@b.example"]
)
def test_a_bad_address_is_refused_in_words_and_nothing_is_written(program: Client, email: str) -> None:
    response = ask(program, email=email)
    body = json_of(response)
    assert response.status_code == 422
    assert list(body["error"]) == ["email"]
    assert body["message"].startswith("email: ")
    assert not Subscriber.objects.exists()


def test_what_is_not_on_the_page_cannot_be_followed(program: Client, page: Page) -> None:
    quiet = make_component(page, "Quiet", only_show_if_degraded=True)
    over = make_resolved(page)
    for wrong in ({"component_id": quiet.public_id}, {"component_id": "nosuchcode12"}, {"incident": over.public_id}):
        assert ask(program, email=ADA, **wrong).status_code == 422
    assert not Subscriber.objects.exists()


def test_telephone_numbers_are_refused_in_words(program: Client) -> None:
    response = ask(program, phone_number="5551234", phone_country="us")
    assert (response.status_code, list(json_of(response)["error"])) == (422, ["phone_number"])


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"a"', '{"subscriber": [1]}', "\x00", "[" * 99_999, '{"subscriber": {"email": {}}}']
)
def test_json_that_says_nothing_is_refused_in_words(program: Client, body: str) -> None:
    response = program.post(PATH, body, content_type="application/json")
    assert response.status_code in (400, 422)
    assert json_of(response)["message"]
    assert not Subscriber.objects.exists()


def test_a_webhook_needs_the_mail_of_its_owner_who_is_asked(program: Client, page: Page) -> None:
    response = ask(program, endpoint="https://hooks.example.com/candor")
    assert (response.status_code, list(json_of(response)["error"])) == (422, ["email"])
    response = ask(program, endpoint="https://hooks.example.com/candor", email=ADA)
    subscriber = json_of(response)["subscriber"]
    assert (response.status_code, subscriber["mode"], list(subscriber)) == (201, "webhook", [*KEYS, "endpoint"])
    assert kinds_owed() == [DeliveryKind.ENDPOINT_CONFIRMATION]
    again = ask(program, endpoint="https://hooks.example.com/candor", email=ADA)
    other = ask(program, endpoint="https://hooks.example.com/other", email=ADA)
    assert json_of(again)["subscriber"]["id"] == subscriber["id"] != json_of(other)["subscriber"]["id"]
    assert len(kinds_owed()) == 1


def test_a_webhook_follows_the_components_that_it_names(program: Client, page: Page) -> None:
    api = make_component(page, "API")
    hook = "https://hooks.example.com/candor"
    assert ask(program, endpoint=hook, email=ADA, component_id="nosuchcode12").status_code == 422
    assert not Subscriber.objects.exists()
    assert ask(program, endpoint=hook, email=ADA, component_id=api.public_id).status_code == 201
    preferences = preferences_of(Subscriber.objects.get(endpoint=hook))
    assert (preferences.whole_page, preferences.components) == (False, (api,))


def test_too_much_from_one_visitor_is_refused_until_the_hour_is_over(program: Client, settings: Settings) -> None:
    settings.SUBSCRIBE_LIMIT_PER_IP = 1
    assert ask(program, email=ADA).status_code == 201
    for response in (ask(program, email="bob@example.com"), take_back(program, "nosuchcode12")):
        assert (response.status_code, json_of(response)["error"][:8]) == (429, "Too many")
        assert 0 < int(response["Retry-After"]) <= 3600
    assert Subscriber.objects.count() == 1


def test_scripts_of_any_origin_may_use_it(program: Client) -> None:
    preflight = program.options(PATH)
    assert (preflight.status_code, preflight["Access-Control-Allow-Methods"]) == (204, "POST, DELETE")
    refused = ask(program, email="")
    wrong = program.get(PATH)
    assert (wrong.status_code, wrong["Allow"]) == (405, "POST, DELETE")
    for response in (preflight, refused, wrong, ask(program, email=ADA)):
        assert response["Access-Control-Allow-Origin"] == "*"
        assert "no-store" in response.get("Cache-Control", "no-store")


def test_two_slashes_are_understood_here_too(program: Client) -> None:
    response = program.post("/", {"subscriber[email]": ADA}, PATH_INFO="//api/v2/subscribers.json")
    assert response.status_code == 201
