"""Signing up a webhook oneself: form, mail, challenge, secret, and the page to manage it."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from incidents.models import Page
from statuspage.dispatcher.loop import drain
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.notifications.transports.webhook import echoes
from statuspage.retention.pruning import prune
from statuspage.subscribers import endpoints
from statuspage.subscribers.addresses import web_address
from statuspage.subscribers.links import confirm_url, manage_url
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from tests.factories import ALICE, make_endpoint, make_incident
from tests.notifications.mailbox import mails_to, part
from tests.public.parsed_page import parse
from tests.receivers import ReceivedRequest, Receiver, Reply
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

FORM = "/subscribe/webhook"


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]


def echo(received: ReceivedRequest) -> Reply:
    """A receiver that agrees."""
    payload = received.json
    return Reply(200, json.dumps({"challenge": payload["challenge"]}).encode() if "challenge" in payload else b"")


def sign_up(client: Client, url: str, email: str = "ada@example.org") -> Any:
    return client.post(FORM, {"endpoint": url, "email": email})


def link_in(sink: SmtpSink, address: str) -> str:
    text = part(mails_to(sink, address)[-1], "plain")
    match = re.search(r"https?://[^/]+(/webhooks/\S+)", text)
    assert match, text
    return match.group(1)


def text_of(response: Any) -> str:
    return parse(response.content.decode()).one("main").text


def only() -> Subscriber:
    return Subscriber.objects.get(channel=Channel.WEBHOOK)


def test_the_whole_way_from_the_form_to_the_first_event(
    page: Page, client: Client, receiver: Receiver, sink: SmtpSink
) -> None:
    receiver.responder = echo
    assert "Check your email" in text_of(sign_up(client, receiver.url("/hook?key=tops3cret")))
    assert receiver.requests == []
    drain()
    assert "tops3cret" not in part(mails_to(sink, "ada@example.org")[0], "plain")
    link = link_in(sink, "ada@example.org")
    assert "Confirm that you want" in text_of(client.get(link))
    assert only().state == SubscriberState.PENDING
    response = client.post(link)
    assert "Your email address is confirmed" in text_of(response)
    assert only().state == SubscriberState.VERIFYING
    make_incident(page, title="Before it agreed")
    drain()
    assert only().state == SubscriberState.ACTIVE
    manage = parse(response.content.decode()).one("main").one("a").attributes["href"]
    path = re.sub(r"^https?://[^/]+", "", manage)
    page_before = client.get(path).content.decode()
    assert "whsec_" not in page_before
    shown = text_of(client.post(path, {"action": "secret"}))
    assert only().secret in shown
    assert "whsec_" not in client.post(path, {"action": "secret"}).content.decode()
    make_incident(page, title="API outage")
    drain()
    payload = [received.json for received in receiver.requests]
    assert payload[0]["type"] == "endpoint.challenge"
    assert [event["incident"]["name"] for event in payload[1:]] == ["API outage"]
    assert not client.cookies


def test_an_endpoint_that_fails_verification_receives_nothing_else(
    page: Page, client: Client, receiver: Receiver
) -> None:
    hook = make_endpoint(page, receiver.url(), email="ada@example.org", state="pending", confirmed_at=None)
    client.post(confirm_url(hook))
    for _ in range(5):
        make_incident(page)
        Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(days=1))
        Subscriber.objects.update(rests_until=None)
        drain()
    assert {received.json.get("type") for received in receiver.requests} == {"endpoint.challenge"}
    assert len(receiver.requests) == 4
    hook.refresh_from_db()
    assert hook.state == SubscriberState.VERIFYING
    assert "without the value of the verification request" in text_of(client.get(manage_url(hook)))
    receiver.responder = echo
    client.post(manage_url(hook), {"action": "challenge"})
    drain()
    hook.refresh_from_db()
    assert hook.is_active


@pytest.mark.parametrize(
    ("response", "agrees"),
    [
        (b"tok", True),
        (b" tok\n", True),
        (b'{"challenge": "tok"}', True),
        (b'"tok"', True),
        (b'{"challenge": "other"}', False),
        (b'{"type": "endpoint.challenge", "challenge": "tok", "page": "https://status.example/"}', False),
        (b"<html>tok</html>", False),
        (b"[1]", False),
        (b"\xff\xfe", False),
        (b"", False),
    ],
)
def test_only_the_token_itself_is_an_answer_and_not_an_echo_of_everything(response: bytes, agrees: bool) -> None:  # noqa: FBT001
    assert echoes(response, "tok") is agrees


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "Enter the URL of your webhook"),
        ("example.com/hook", "must start with https://"),
        ("https://ada:pw@example.com/", "user name or password"),
        ("http://10.0.0.1/", "is not a public address"),
        ("http://[::1]/", "is not a public address"),
        ("http://2130706433/", "neither a host name nor an IP address"),
    ],
)
def test_a_bad_address_is_refused_beside_its_field_and_stays_in_it(
    page: Page, client: Client, settings: Settings, url: str, expected: str
) -> None:
    settings.OUTBOUND_ALLOW = []
    response = sign_up(client, url)
    document = parse(response.content.decode())
    (field,) = [e for e in document.walk() if e.attributes.get("aria-invalid") == "true"]
    assert response.status_code == 400
    assert (field.attributes["name"], field.attributes["value"]) == ("endpoint", url)
    assert expected in document.one("main").text
    assert not Subscriber.objects.exists()


def test_however_many_endpoints_are_typed_for_an_address_it_gets_one_mail_a_day(
    page: Page, client: Client, sink: SmtpSink, settings: Settings
) -> None:
    settings.SUBSCRIBE_LIMIT_PER_IP = 1000
    for number in range(30):
        assert sign_up(client, f"https://example.com/{number}", "Ada@Example.org").status_code == 200
    drain()
    assert len(mails_to(sink, "ada@example.org")) == 1
    assert Subscriber.objects.count() == 1
    Subscriber.objects.update(confirmation_sent_at=timezone.now() - timedelta(hours=25))
    sign_up(client, "https://example.com/31", "ada@example.org")
    drain()
    assert len(mails_to(sink, "ada@example.org")) == 2


def test_the_answer_is_the_same_whether_it_is_known_or_not(page: Page, client: Client) -> None:
    known = make_endpoint(page, "https://example.com/known", email="ada@example.org")
    answers = [sign_up(client, url).content for url in (known.endpoint, "https://example.com/new", known.endpoint)]
    assert answers[0] == answers[1] == answers[2]


def test_whoever_asks_for_what_there_is_gets_a_link_to_manage_it(page: Page, client: Client, sink: SmtpSink) -> None:
    hook = make_endpoint(page, "https://example.com/known", email="ada@example.org")
    sign_up(client, hook.endpoint)
    drain()
    assert client.get(link_in(sink, "ada@example.org")).status_code == 200
    hook.refresh_from_db()
    assert hook.is_active


def test_somebody_elses_sign_up_does_not_keep_the_owner_from_theirs(page: Page, client: Client, sink: SmtpSink) -> None:
    sign_up(client, "https://example.com/hook", "eve@example.org")
    sign_up(client, "https://example.com/hook", "ada@example.org")
    drain()
    assert len(mails_to(sink, "eve@example.org")) == len(mails_to(sink, "ada@example.org")) == 1


@pytest.mark.parametrize("state", SubscriberState.values)
def test_every_page_has_one_heading_and_every_control_a_label(page: Page, client: Client, state: str) -> None:
    hook = make_endpoint(page, "https://example.com/hook", email="ada@example.org", state=state)
    for path in (FORM, confirm_url(hook), manage_url(hook)):
        document = parse(client.get(path).content.decode())
        assert document.one("h1").text
        labels = document.all("label")
        labelled = {label.attributes["for"] for label in labels if "for" in label.attributes}
        inside = [field for label in labels for field in label.all("input")]
        assert {field.attributes["id"] for field in document.all("input") if field not in inside} <= labelled
        assert not any("style" in element.attributes for element in document.walk())


def test_too_many_sign_ups_show_an_error(page: Page, client: Client, settings: Settings) -> None:
    settings.SUBSCRIBE_LIMIT_PER_IP = 1
    sign_up(client, "https://example.com/1")
    response = sign_up(client, "https://example.com/2", "bob@example.org")
    assert response.status_code == 429
    assert "https://example.com/2" in response.content.decode()


def test_a_form_with_the_honeypot_filled_in_is_ignored(page: Page, client: Client) -> None:
    response = client.post(FORM, {"endpoint": "https://x.example", "email": "a@example.org", "website": "spam"})
    assert "Check your email" in text_of(response)
    assert not Subscriber.objects.exists()


def test_a_paused_webhook_works_again_once_it_answers(
    page: Page, client: Client, receiver: Receiver, sink: SmtpSink
) -> None:
    hook = make_endpoint(page, receiver.url(), email="ada@example.org")
    hook.pause("410 gone")
    receiver.responder = echo
    assert "410 gone" in text_of(client.get(manage_url(hook)))
    client.post(manage_url(hook), {"action": "challenge"})
    drain()
    hook.refresh_from_db()
    assert (hook.state, hook.paused_reason) == (SubscriberState.ACTIVE, "")


def test_a_rotation_shows_the_new_secret_once(page: Page, client: Client) -> None:
    hook = make_endpoint(page, "https://example.com/hook", email="ada@example.org", secret_shown_at=timezone.now())
    old = hook.secret
    text = text_of(client.post(manage_url(hook), {"action": "rotate"}))
    hook.refresh_from_db()
    assert hook.secret in text
    assert hook.secret != old
    assert hook.old_secret == old
    assert hook.secret not in client.get(manage_url(hook)).content.decode()


def test_unsubscribing_ends_the_calls(page: Page, client: Client, receiver: Receiver) -> None:
    hook = make_endpoint(page, receiver.url(), email="ada@example.org")
    assert "Webhook removed" in text_of(client.post(manage_url(hook), {"action": "unsubscribe"}))
    make_incident(page)
    drain()
    assert receiver.requests == []


def test_what_a_webhook_is_sent_holds_a_link_that_can_do_no_more_than_unsubscribe_it(
    page: Page, client: Client, receiver: Receiver
) -> None:
    hook = make_endpoint(page, receiver.url("/hook?key=tops3cret"), email="ada@example.org")
    make_incident(page)
    drain()
    link = re.sub(r"^https?://[^/]+", "", receiver.requests[0].json["meta"]["unsubscribe"])
    assert "Stop sending" in text_of(client.get(link))
    assert "tops3cret" not in client.get(link).content.decode()
    assert client.get(link.replace("/unsubscribe/", "/webhooks/")).status_code == 404
    client.post(link)
    hook.refresh_from_db()
    assert hook.state == SubscriberState.UNSUBSCRIBED


def test_links_are_valid_only_for_their_own_purpose(page: Page, client: Client) -> None:
    hook = make_endpoint(page, "https://example.com/hook", email="ada@example.org")
    confirm, manage = (url.rsplit("/", 1)[1] for url in (confirm_url(hook), manage_url(hook)))
    for path in (f"/webhooks/{confirm}", f"/webhooks/confirm/{manage}", f"/subscribers/{manage}", "/webhooks/x"):
        assert client.get(path).status_code == 404


def test_challenges_cannot_be_asked_for_without_end(page: Page, client: Client) -> None:
    hook = make_endpoint(page, "https://example.com/hook", email="ada@example.org", state="verifying")
    for _ in range(15):
        client.post(manage_url(hook), {"action": "challenge"})
    assert Delivery.objects.filter(kind=DeliveryKind.CHALLENGE).count() == 10
    assert Delivery.objects.queued().count() == 1


def test_one_host_receives_few_challenges_whoever_asks(
    page: Page, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statuspage.public.webhook_views.CHALLENGES_PER_HOST", 2)
    urls = [f"https://{host}/{n}" for n, host in enumerate(["example.com", "EXAMPLE.com:443", "example.com:8443"])]
    hooks = [
        make_endpoint(page, web_address(url), email=f"{n}@a.example", state="pending") for n, url in enumerate(urls)
    ]
    answers = [client.post(confirm_url(hook)) for hook in hooks]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Too many verification requests" in text_of(answers[2])
    assert client.post(manage_url(hooks[2]), {"action": "challenge"}).status_code == 429
    elsewhere = make_endpoint(page, "https://example.org/hook", email="d@a.example", state="pending")
    assert client.post(confirm_url(elsewhere)).status_code == 200
    assert Delivery.objects.filter(kind=DeliveryKind.CHALLENGE).count() == 3


def test_an_owner_who_leaves_while_the_challenge_is_on_its_way_has_left(
    page: Page, client: Client, receiver: Receiver
) -> None:
    hook = make_endpoint(page, receiver.url(), email="ada@example.org", state="pending", confirmed_at=None)

    def agree_late(received: ReceivedRequest) -> Reply:
        Subscriber.objects.get().unsubscribe()
        connection.close()
        return echo(received)

    receiver.responder = agree_late
    client.post(confirm_url(hook))
    drain()
    hook.refresh_from_db()
    assert (len(receiver.requests), hook.state) == (1, SubscriberState.UNSUBSCRIBED)


def test_a_previously_active_webhook_is_kept_while_its_endpoint_is_unreachable(page: Page) -> None:
    long_ago = timezone.now() - timedelta(days=400)
    make_endpoint(page, "https://example.com/hook", state="verifying", confirmed_at=long_ago, created_at=long_ago)
    prune()
    assert Subscriber.objects.exists()


def test_unconfirmed_webhooks_are_deleted(page: Page) -> None:
    long_ago = timezone.now() - timedelta(days=31)
    for state in ("pending", "verifying"):
        make_endpoint(page, f"https://example.com/{state}", state=state, confirmed_at=None, created_at=long_ago)
    prune()
    assert not Subscriber.objects.exists()


def test_an_owner_does_not_undo_what_staff_paused(page: Page, client: Client) -> None:
    hook = make_endpoint(page, "https://example.com/hook", email="ada@example.org")
    endpoints.pause(hook, actor=ALICE)
    assert "Verify and enable" not in text_of(client.get(manage_url(hook)))
    client.post(manage_url(hook), {"action": "challenge"})
    hook.refresh_from_db()
    assert hook.state == SubscriberState.PAUSED
    client.post(manage_url(hook), {"action": "unsubscribe"})
    client.post(confirm_url(hook))
    hook.refresh_from_db()
    assert hook.state == SubscriberState.UNSUBSCRIBED
    assert not Delivery.objects.exists()
