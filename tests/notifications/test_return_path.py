"""The envelope's sender names the mail that comes back, to us alone; readers see the page's address as ever."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from incidents.models import Page
from statuspage.common.signing import BadToken, sign_number, verify_number
from statuspage.dispatcher.loop import drain
from statuspage.notifications.messages.return_path import DELIVERY, provider_headers, return_path, row_of, tokens_in
from statuspage.notifications.models import Delivery
from statuspage.subscribers.sign_up import request_subscription
from tests.factories import make_incident, make_subscriber
from tests.notifications.mailbox import parsed
from tests.servers import SmtpSink

LAST = 2**40 - 1


@given(st.integers(0, LAST))
def test_a_sealed_number_opens_again_whatever_the_case(number: int) -> None:
    token = sign_number("test", number)
    assert verify_number("test", token) == verify_number("test", token.upper()) == number
    assert len(token) == 24
    assert token == token.lower()


@given(st.integers(0, LAST), st.integers(0, 23), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_one_changed_letter_opens_nothing(number: int, position: int, character: str) -> None:
    token = sign_number("test", number)
    forged = token[:position] + character + token[position + 1 :]
    if forged != token:
        with pytest.raises(BadToken):
            verify_number("test", forged)


@pytest.mark.parametrize("token", ["", "x", "ä" * 24, "1" * 24, "a" * 24, "a" * 16, "=" * 24])
def test_what_was_never_sealed_opens_nothing(token: str) -> None:
    with pytest.raises(BadToken):
        verify_number("test", token)


def test_a_number_sealed_for_one_purpose_opens_for_no_other() -> None:
    with pytest.raises(BadToken):
        verify_number("other", sign_number("test", 7))


def test_sealed_numbers_do_not_tell_their_order() -> None:
    tokens = [sign_number("test", number) for number in range(1, 50)]
    assert len({token[:4] for token in tokens}) > 40
    assert tokens != sorted(tokens)


@pytest.mark.django_db(transaction=True)
def test_the_envelope_has_a_sender_for_each_mail_and_readers_see_the_page(
    page: Page, sink: SmtpSink, settings: Settings
) -> None:
    settings.BOUNCE_ADDRESS = "bounce@status.example.com"
    make_subscriber(page, "ada@example.com")
    make_incident(page)
    request_subscription(page, "new@example.com")
    drain()
    assert len(sink.emails) == 2
    for email in sink.emails:
        local, _, domain = email.sender.partition("@")
        assert (local[:7], domain) == ("bounce+", "status.example.com")
        assert len(local) <= 64
        assert parsed(email.raw)["From"] == "Acme <status@localhost>"
        row = row_of(tokens_in([email.sender]))
        assert isinstance(row, Delivery)
        assert row.subscriber.email == email.recipient


@pytest.mark.django_db(transaction=True)
def test_without_a_bounce_address_the_sender_is_the_one_that_readers_see(page: Page, sink: SmtpSink) -> None:
    make_subscriber(page, "ada@example.com")
    make_incident(page)
    drain()
    assert [email.sender for email in sink.emails] == ["status@localhost"]


def test_the_longest_bounce_address_still_fits(settings: Settings) -> None:
    settings.BOUNCE_ADDRESS = f"{'b' * 38}@example.com"
    assert len(return_path(sign_number(DELIVERY, LAST)).partition("@")[0]) <= 64


@pytest.mark.parametrize(
    ("provider", "header"),
    [
        ("brevo", "X-Mailin-custom"),
        ("mailgun", "X-Mailgun-Variables"),
        ("mailjet", "X-MJ-EventPayload"),
        ("sparkpost", "X-MSYS-API"),
    ],
)
def test_a_provider_is_given_the_token_to_give_back(settings: Settings, provider: str, header: str) -> None:
    settings.EMAIL_PROVIDER = provider
    metadata = json.loads(provider_headers(sign_number(DELIVERY, 7))[header])
    assert metadata.get("metadata", metadata) == {"candor": sign_number(DELIVERY, 7)}


def test_postmark_wants_it_bare(settings: Settings) -> None:
    settings.EMAIL_PROVIDER = "postmark"
    assert provider_headers(sign_number(DELIVERY, 7)) == {"X-PM-Metadata-candor": sign_number(DELIVERY, 7)}


def test_every_provider_that_may_be_set_has_a_header_of_its_own(settings: Settings) -> None:
    names = set()
    for provider in settings.EMAIL_PROVIDERS:
        settings.EMAIL_PROVIDER = provider
        names |= set(provider_headers("token"))
    assert len(names) == len(settings.EMAIL_PROVIDERS)


def test_without_a_provider_there_is_no_such_header(settings: Settings) -> None:
    settings.EMAIL_PROVIDER = ""
    assert provider_headers(sign_number(DELIVERY, 7)) == {}
