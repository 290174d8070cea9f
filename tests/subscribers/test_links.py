"""The signed links in mails: confirming, managing, leaving."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.utils import timezone

from incidents.models import Page
from statuspage.common.signing import CachingSigner, sign
from statuspage.dispatcher.loop import drain
from statuspage.subscribers.links import CONFIRM, MANAGE, UNSUBSCRIBE, confirm_url, manage_url, unsubscribe_url
from statuspage.subscribers.models import Subscriber, SubscriberState
from tests.factories import make_subscriber
from tests.notifications.mailbox import mails_to, part
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)
HOST = "http://127.0.0.1:8000"


@pytest.fixture
def visitor() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def pending(page: Page) -> Subscriber:
    return make_subscriber(page, "ada@example.com", state=SubscriberState.PENDING, confirmed_at=None)


@pytest.fixture
def active(page: Page) -> Subscriber:
    return make_subscriber(page, "ada@example.com")


def path(url: str) -> str:
    return url.removeprefix(HOST)


def state_of(subscriber: Subscriber) -> str:
    subscriber.refresh_from_db()
    return subscriber.state


def test_the_link_in_the_mail_confirms_by_its_button_only(visitor: Client, page: Page, sink: SmtpSink) -> None:
    visitor.post("/subscribe", {"email": "ada@example.com"})
    drain()
    (message,) = mails_to(sink, "ada@example.com")
    match = re.search(HOST + r"(/subscribe/confirm/\S+)", part(message, "plain"))
    assert match
    subscriber = Subscriber.objects.get()

    opened = visitor.get(match.group(1))
    assert "Confirm subscription" in opened.content.decode()
    assert state_of(subscriber) == SubscriberState.PENDING

    pressed = visitor.post(match.group(1))
    assert "You are subscribed" in pressed.content.decode()
    assert state_of(subscriber) == SubscriberState.ACTIVE
    assert subscriber.confirmed_at is not None
    assert not opened.cookies
    assert not pressed.cookies


def test_confirming_twice_changes_nothing(visitor: Client, pending: Subscriber) -> None:
    link = path(confirm_url(pending))
    visitor.post(link)
    pending.refresh_from_db()
    first = pending.confirmed_at
    assert "You are subscribed" in visitor.post(link).content.decode()
    pending.refresh_from_db()
    assert pending.confirmed_at == first


def test_a_link_to_confirm_works_for_seven_days(visitor: Client, pending: Subscriber) -> None:
    link = path(confirm_url(pending))
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
        assert visitor.get(link).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        late = visitor.post(link)
    assert late.status_code == 410
    assert "This link has expired" in late.content.decode()
    assert "ada@" not in late.content.decode()
    assert state_of(pending) == SubscriberState.PENDING


def test_an_old_link_to_confirm_does_not_undo_leaving(visitor: Client, pending: Subscriber) -> None:
    link = path(confirm_url(pending))
    visitor.post(link)
    pending.unsubscribe()
    assert visitor.post(link).status_code == 410
    assert state_of(pending) == SubscriberState.UNSUBSCRIBED
    with time_machine.travel(timezone.now() + timedelta(seconds=2)):
        visitor.post(path(confirm_url(pending)))
    assert state_of(pending) == SubscriberState.ACTIVE


def test_confirming_lifts_a_pause(visitor: Client, active: Subscriber) -> None:
    active.pause("550 No such user")
    visitor.post(path(confirm_url(active)))
    assert state_of(active) == SubscriberState.ACTIVE
    assert active.paused_reason == ""


def test_the_unsubscribe_link_shows_a_button_and_its_post_unsubscribes(visitor: Client, active: Subscriber) -> None:
    link = path(unsubscribe_url(active))
    assert "Stop sending Acme" in visitor.get(link).content.decode()
    assert state_of(active) == SubscriberState.ACTIVE
    done = visitor.post(link)
    assert done.status_code == 200
    assert "You are unsubscribed" in done.content.decode()
    assert state_of(active) == SubscriberState.UNSUBSCRIBED
    assert active.unsubscribed_at is not None


def test_the_manage_page_shows_the_state_and_unsubscribes(visitor: Client, active: Subscriber) -> None:
    link = path(manage_url(active))
    html = visitor.get(link).content.decode()
    assert "ada@example.com" in html
    assert "Active" in html
    html = visitor.post(link, {"action": "unsubscribe"}).content.decode()
    assert "You are unsubscribed" in html
    assert state_of(active) == SubscriberState.UNSUBSCRIBED


def test_subscribing_again_needs_a_new_confirmation(visitor: Client, active: Subscriber, sink: SmtpSink) -> None:
    active.unsubscribe()
    visitor.post(path(manage_url(active)), {"action": "subscribe"})
    assert state_of(active) == SubscriberState.UNSUBSCRIBED
    drain()
    (message,) = mails_to(sink, "ada@example.com")
    assert message["Subject"] == "[Acme] Please confirm your subscription"


@pytest.mark.parametrize("path", ["/subscribe/confirm/", "/subscribers/", "/unsubscribe/"])
@pytest.mark.parametrize("token", ["x", "a.b.c", "ünsinn", "%00", "A" * 2000, "....", "abc.1.", "abc..def"])
def test_a_link_that_we_did_not_make_is_a_friendly_404(visitor: Client, page: Page, path: str, token: str) -> None:
    for response in (visitor.get(path + token), visitor.post(path + token)):
        assert response.status_code == 404
        assert "This link does not work" in response.content.decode()


def test_a_token_is_valid_only_for_its_own_purpose(visitor: Client, active: Subscriber) -> None:
    places = {CONFIRM: "/subscribe/confirm/", MANAGE: "/subscribers/", UNSUBSCRIBE: "/unsubscribe/"}
    for purpose in places:
        for other, path in places.items():
            expected = 200 if purpose == other else 404
            assert visitor.get(path + sign(purpose, active.public_id)).status_code == expected


def test_a_token_for_somebody_who_is_gone_is_a_404(visitor: Client, page: Page) -> None:
    assert visitor.get("/subscribers/" + sign(MANAGE, "nobodyatall0")).status_code == 404


def test_tokens_carry_no_address(active: Subscriber) -> None:
    for url in (confirm_url(active), manage_url(active), unsubscribe_url(active)):
        assert re.fullmatch(rf"{HOST}/[a-z/]+/{active.public_id}\.[A-Za-z0-9]+\.[\w-]+", url)


def test_pages_behind_links_are_not_kept_or_indexed(visitor: Client, active: Subscriber) -> None:
    response = visitor.get(path(manage_url(active)))
    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Referrer-Policy"] == "same-origin"
    assert not response.cookies


@pytest.mark.parametrize("value", ["abc123abc123", "ünïcode"])
def test_signatures_are_those_of_django(value: str) -> None:
    options: dict[str, Any] = {
        "key": "a secret key",
        "salt": "candor.test",
        "sep": ".",
        "fallback_keys": ["an old key"],
    }
    ours, theirs = CachingSigner(**options), signing.TimestampSigner(**options)
    assert ours.signature(value) == theirs.signature(value)
    assert ours.signature(value, "an old key") == theirs.signature(value, "an old key")
    assert theirs.unsign(ours.sign(value)) == value
