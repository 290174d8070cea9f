"""Resetting the links of a subscription: by its owner and by staff, for email and webhooks."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from incidents.models import AuditEntry, Page
from statuspage.dispatcher.loop import drain
from statuspage.subscribers.links import confirm_url, manage_url, unsubscribe_url
from statuspage.subscribers.models import Subscriber
from tests.factories import make_endpoint, make_incident, make_subscriber, make_user
from tests.notifications.mailbox import mails_to, part
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)
HOST = "http://127.0.0.1:8000"
ADA = "ada@example.com"


@pytest.fixture
def visitor(page: Page) -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture(params=["email", "webhook"])
def subscriber(request: Any, page: Page) -> Subscriber:
    if request.param == "email":
        return make_subscriber(page, ADA)
    return make_endpoint(page, "https://example.com/hook", email=ADA)


def path(url: str) -> str:
    return url.removeprefix(HOST)


def links_in(sink: SmtpSink) -> list[str]:
    emails = [part(message, "plain") for message in mails_to(sink, ADA)]
    return [link for text in emails for link in re.findall(HOST + r"(/(?:subscribers|webhooks)/\S+)", text)]


def test_an_owner_revokes_all_earlier_links_and_gets_a_new_one_by_email(
    visitor: Client, subscriber: Subscriber, sink: SmtpSink
) -> None:
    old = path(manage_url(subscriber)), path(confirm_url(subscriber))
    answer = visitor.post(old[0], {"action": "reset_links"})
    html = answer.content.decode()
    assert (answer.status_code, "Links reset" in html) == (200, True)
    subscriber.refresh_from_db()
    assert path(manage_url(subscriber)) not in html
    for link in old:
        assert visitor.get(link).status_code == 410
    drain()
    (new,) = links_in(sink)
    assert visitor.get(new).status_code == 200
    assert visitor.post(new, {"action": "reset_links"}).status_code == 200
    assert visitor.get(new).status_code == 410


def test_a_revoked_link_changes_nothing_and_shows_no_address(visitor: Client, subscriber: Subscriber) -> None:
    old = path(manage_url(subscriber))
    visitor.post(old, {"action": "reset_links"})
    before = Subscriber.objects.values().get()
    for action in ("unsubscribe", "save", "reset_links", "secret", "rotate", "challenge", "subscribe"):
        answer = visitor.post(old, {"action": action})
        assert ADA not in answer.content.decode()
        assert "example.com/hook" not in answer.content.decode()
    after = Subscriber.objects.values().get()
    limits = {"confirmation_sent_at": None, "mailbox": ""}
    assert after | limits == before | limits


def test_a_revoked_link_offers_one_email_a_day_with_the_new_one(
    visitor: Client, subscriber: Subscriber, sink: SmtpSink
) -> None:
    old = path(manage_url(subscriber))
    visitor.post(old, {"action": "reset_links"})
    drain()
    opened = visitor.get(old)
    assert "Send me a new link" in opened.content.decode()
    assert not opened.cookies
    for _ in range(3):
        assert "Check your email" in visitor.post(old).content.decode()
    drain()
    links = links_in(sink)
    assert len(links) == 2
    assert visitor.get(links[1]).status_code == 200


def test_requests_for_a_new_link_are_limited_per_network(
    visitor: Client, subscriber: Subscriber, settings: Settings
) -> None:
    settings.SUBSCRIBE_LIMIT_PER_IP = 1
    old = path(manage_url(subscriber))
    visitor.post(old, {"action": "reset_links"})
    assert [visitor.post(old).status_code for _ in range(2)] == [200, 429]


def test_unsubscribing_with_one_click_works_in_every_email_ever_sent(
    visitor: Client, page: Page, sink: SmtpSink
) -> None:
    ada = make_subscriber(page, ADA)
    make_incident(page)
    drain()
    (message,) = mails_to(sink, ADA)
    one_click = path(str(message["List-Unsubscribe"]).strip("<>"))
    visitor.post(path(manage_url(ada)), {"action": "reset_links"})
    visitor.post(path(manage_url(Subscriber.objects.get())), {"action": "reset_links"})
    assert visitor.post(one_click, {"List-Unsubscribe": "One-Click"}).status_code == 200
    ada.refresh_from_db()
    assert ada.state == "unsubscribed"
    assert path(unsubscribe_url(ada)).split(".")[0] == one_click.split(".")[0]


def test_staff_reset_links_and_the_audit_log_says_who(subscriber: Subscriber, sink: SmtpSink) -> None:
    editor, old = Client(), path(manage_url(subscriber))
    editor.force_login(make_user())
    shown = "subscribers" if subscriber.channel == "email" else "channels"
    page_of_it = f"/console/p/acme/{shown}/{subscriber.public_id}"
    assert "Reset links" in editor.get(page_of_it).content.decode()
    if subscriber.channel == "email":
        editor.post(f"{page_of_it}/links")
    else:
        editor.post(f"{page_of_it}/act", {"do": "reset_links"})
    assert Client().get(old).status_code == 410
    entry = AuditEntry.objects.get(verb="subscriber.links_reset")
    assert (entry.object_ref, entry.details) == (subscriber.public_id, {})
    drain()
    assert len(links_in(sink)) == 1


def test_viewers_cannot_reset_links(page: Page) -> None:
    ada, viewer = make_subscriber(page, ADA), Client()
    viewer.force_login(make_user("viewer"))
    assert viewer.post(f"/console/p/acme/subscribers/{ada.public_id}/links").status_code == 403


def test_opening_a_page_resets_nothing(visitor: Client, subscriber: Subscriber) -> None:
    link = path(manage_url(subscriber))
    visitor.get(f"{link}?action=reset_links")
    assert visitor.get(link).status_code == 200
