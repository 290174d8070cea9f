"""From the form on the public page to the mail that asks to confirm, without a cookie anywhere."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from incidents.models import Page
from statuspage.dispatcher.loop import drain
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Subscriber, SubscriberState
from tests.factories import make_incident, make_page, make_subscriber
from tests.notifications.mailbox import mails_to
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visitor(page: Page) -> Client:
    return Client(enforce_csrf_checks=True)


def sign_up(visitor: Client, email: str = "ada@example.com", **more: str) -> Any:
    return visitor.post("/subscribe", {"email": email} | more)


def test_the_form_is_there_without_cookie_or_session(visitor: Client) -> None:
    response = visitor.get("/subscribe")
    assert response.status_code == 200
    assert 'name="email"' in response.content.decode()
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")
    assert "no-store" in response["Cache-Control"]


def test_signing_up_queues_one_email_and_sets_no_cookie(visitor: Client, sink: SmtpSink) -> None:
    response = sign_up(visitor, " Ada@Example.COM ")
    assert response.status_code == 200
    assert not response.cookies
    assert sink.emails == []  # the web process only writes; the dispatcher sends
    drain()
    (message,) = mails_to(sink, "ada@example.com")
    assert message["Subject"] == "[Acme] Please confirm your subscription"
    assert message["List-Unsubscribe"] is None
    assert Subscriber.objects.get().state == SubscriberState.PENDING


def test_signing_up_does_not_need_a_mail_server(visitor: Client, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "no.such.Backend"
    assert sign_up(visitor).status_code == 200


def test_unconfirmed_subscribers_receive_no_notifications(visitor: Client, page: Page, sink: SmtpSink) -> None:
    sign_up(visitor)
    make_incident(page)
    drain()
    assert [str(m["Subject"]) for m in mails_to(sink, "ada@example.com")] == ["[Acme] Please confirm your subscription"]


@pytest.mark.parametrize("state", SubscriberState)
def test_the_answer_is_the_same_whether_the_address_is_known_or_not(
    visitor: Client, page: Page, state: SubscriberState
) -> None:
    unknown = sign_up(visitor)
    Subscriber.objects.all().delete()
    make_subscriber(page, "ada@example.com", state=state)
    known = sign_up(visitor)
    again = sign_up(visitor)
    assert known.content == again.content == unknown.content
    assert known.status_code == again.status_code == unknown.status_code
    assert set(known.headers) == set(unknown.headers)


def test_a_known_address_is_told_that_it_is_subscribed(visitor: Client, page: Page, sink: SmtpSink) -> None:
    make_subscriber(page, "ada@example.com")
    sign_up(visitor)
    sign_up(visitor)
    drain()
    (message,) = mails_to(sink, "ada@example.com")
    assert message["Subject"] == "[Acme] You are already subscribed"


def test_one_address_gets_one_mail_a_day_whatever_the_ip(visitor: Client, sink: SmtpSink, settings: Settings) -> None:
    settings.SUBSCRIBE_LIMIT_PER_IP = 2
    for number in range(30):
        response = visitor.post("/subscribe", {"email": "ada@example.com"}, REMOTE_ADDR=f"192.0.2.{number}")
        assert response.status_code == 200
    drain()
    assert len(sink.emails) == 1


def test_the_next_day_there_may_be_another(visitor: Client, sink: SmtpSink) -> None:
    sign_up(visitor)
    drain()
    Subscriber.objects.update(confirmation_sent_at=timezone.now() - timedelta(days=1, seconds=1))
    sign_up(visitor)
    drain()
    assert len(sink.emails) == 2


def test_a_mail_that_could_not_be_sent_for_a_day_is_replaced_by_the_next(visitor: Client, sink: SmtpSink) -> None:
    sign_up(visitor)
    fan_out_waiting()
    Subscriber.objects.update(confirmation_sent_at=timezone.now() - timedelta(days=2))
    sign_up(visitor)
    drain()
    assert len(sink.emails) == 1
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["cancelled", "sent"]


def test_simultaneous_sign_ups_queue_one_email(page: Page) -> None:
    start = threading.Barrier(6)
    codes: list[int] = []

    def post() -> None:
        client = Client()
        start.wait()
        codes.append(sign_up(client).status_code)
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 6
    fan_out_waiting()
    assert Delivery.objects.count() == Subscriber.objects.count() == 1


def test_each_page_has_its_own_subscribers(visitor: Client, page: Page) -> None:
    other = make_page(name="Other", domain="other.example")
    sign_up(visitor)
    visitor.post("/subscribe", {"email": "ada@example.com"}, headers={"host": "other.example"})
    assert set(Subscriber.objects.values_list("page", flat=True)) == {page.pk, other.pk}


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com,eve@example.com",
        "a" * 250 + "@example.com",
        "<script>alert(1)</script>",
        "ada\x00@example.com",
    ],
)
def test_what_is_no_address_gets_an_error_beside_the_field(visitor: Client, typed: str) -> None:
    response = sign_up(visitor, typed)
    html = response.content.decode()
    assert response.status_code == 400
    assert 'aria-invalid="true"' in html
    assert '<p class="error" id="email-error">' in html
    assert "<script>alert" not in html
    assert not Subscriber.objects.exists()


def test_the_text_is_still_in_the_field_after_an_error(visitor: Client) -> None:
    assert 'value="ada(at)example.com"' in sign_up(visitor, "ada(at)example.com").content.decode()


def test_a_program_that_fills_in_the_hidden_field_is_answered_and_ignored(visitor: Client) -> None:
    response = sign_up(visitor, website="https://spam.example")
    assert response.status_code == 200
    assert response.content == sign_up(visitor).content
    assert Subscriber.objects.count() == 1


def test_too_many_from_one_network_are_asked_to_wait(visitor: Client, settings: Settings) -> None:
    settings.SUBSCRIBE_LIMIT_PER_IP = 2
    for number in range(2):
        assert sign_up(visitor, f"reader{number}@example.com").status_code == 200
    refused = sign_up(visitor, "late@example.com")
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert 'value="late@example.com"' in refused.content.decode()
    assert not Subscriber.objects.filter(email="late@example.com").exists()
    elsewhere = visitor.post("/subscribe", {"email": "late@example.com"}, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 200


def test_too_many_from_everywhere_are_asked_to_wait(visitor: Client, settings: Settings) -> None:
    settings.SUBSCRIBE_LIMIT_GLOBAL = 2
    codes = [
        visitor.post("/subscribe", {"email": f"r{n}@example.com"}, REMOTE_ADDR=f"192.0.2.{n}").status_code
        for n in range(3)
    ]
    assert codes == [200, 200, 429]


def test_without_a_page_there_is_nothing_to_subscribe_to(db: None) -> None:
    Page.objects.all().delete()
    assert Client().get("/subscribe").status_code == 404
