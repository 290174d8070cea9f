"""Addresses beyond ASCII (RFC 6531, RFC 5891) on their way to servers with and without SMTPUTF8."""

import pytest
from django.test import Client
from pytest_django import Settings

from incidents.models import Page
from statuspage.dispatcher.loop import drain
from statuspage.notifications import mail_test
from statuspage.notifications.models import Bounce, Delivery, MailTest
from statuspage.subscribers.models import Subscriber
from tests.factories import make_incident, make_subscriber, make_user
from tests.notifications.mailbox import use_server
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("address", ["ü@münchen.example", "я@example.com", "我@例子.example"])
def test_an_internationalized_address_is_confirmed_and_notified(page: Page, sink: SmtpSink, address: str) -> None:
    assert Client().post("/subscribe", {"email": address}).status_code == 200
    drain()
    subscriber = Subscriber.objects.get()
    subscriber.confirm()
    make_incident(page)
    drain()
    assert subscriber.email.rpartition("@")[2].isascii()
    assert [received.recipient for received in sink.emails] == [subscriber.email] * 2
    for received in sink.emails:
        assert f"To: {subscriber.email}\r\n".encode() in received.raw


def test_without_smtputf8_the_delivery_fails_and_the_others_arrive(page: Page, settings: Settings) -> None:
    server = SmtpSink(enable_SMTPUTF8=False)
    server.start()
    try:
        use_server(settings, server.controller.port)
        make_subscriber(page, "ü@example.com")
        make_subscriber(page, "ada@example.com")
        make_incident(page)
        drain()
    finally:
        server.stop()
    assert [received.recipient for received in server.emails] == ["ada@example.com"]
    failed = Delivery.objects.get(subscriber__email="ü@example.com")
    assert (failed.state, failed.attempts) == ("failed", 1)
    assert "SMTPUTF8" in failed.last_error
    assert Subscriber.objects.get(email="ü@example.com").is_active
    assert Bounce.objects.get().status == "5.6.7"


def test_staff_receive_email_at_an_internationalized_address(page: Page, sink: SmtpSink) -> None:
    make_user("owner", email="ü@münchen.example")
    Client().post("/accounts/password/reset/", {"email": "Ü@xn--mnchen-3ya.example"})
    drain()
    (received,) = sink.emails
    assert received.recipient == "ü@xn--mnchen-3ya.example"
    assert "To: ü@xn--mnchen-3ya.example\r\n".encode() in received.raw


@pytest.mark.parametrize(("offers", "last"), [(True, ("Message", "ok")), (False, ("Sender", "failed"))])
def test_a_test_email_says_whether_the_server_takes_such_addresses(
    page: Page, settings: Settings, *, offers: bool, last: tuple[str, str]
) -> None:
    server = SmtpSink(enable_SMTPUTF8=offers)
    server.start()
    try:
        use_server(settings, server.controller.port)
        settings.EMAIL_URL = server.url
        steps = mail_test.run(MailTest.objects.create(page=page, to="ü@example.com"))
    finally:
        server.stop()
    assert (steps[-1].name, steps[-1].state) == last, steps
    assert offers == any("To: ü@example.com\r\n".encode() in received.raw for received in server.emails)
    assert offers or "SMTPUTF8" in steps[-1].message
