"""Email addresses: one canonical form, whatever the spelling, and one key for limits."""

import threading
import unicodedata
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from incidents.actor import Actor
from incidents.models import Page
from statuspage.accounts.models import User
from statuspage.accounts.password_reset import users_with_address
from statuspage.common.email_addresses import clean_email, mailbox_key, normalize_email, readable_email
from statuspage.dispatcher.loop import drain
from statuspage.subscribers import csv_format
from statuspage.subscribers.csv_import import import_rows
from statuspage.subscribers.importing import IncomingSubscriber, upsert_subscriber
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.models.subscribers import EMAILS_PER_MAILBOX
from tests.factories import ALICE, PASSWORD, make_page, make_subscriber, make_user
from tests.notifications.mailbox import mails_to
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

STORED = "ada@xn--mnchen-3ya.example"
SPELLINGS = [
    "ada@münchen.example",
    "ada@xn--mnchen-3ya.example",
    "ADA@XN--MNCHEN-3YA.EXAMPLE",
    "Ada@MÜNCHEN.example.",
    f" ada@{unicodedata.normalize('NFD', 'münchen')}.example\t",
    "ada@ｍünchen。example",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_all_spellings_of_a_domain_have_one_canonical_form(spelling: str) -> None:
    assert clean_email(spelling) == normalize_email(spelling) == STORED


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("Ü@example.com", "ü@example.com"),
        ("u\u0308@example.com", "ü@example.com"),
        ("я@пример.рф", "я@xn--e1afmkfd.xn--p1ai"),
        ("a@faß.de", "a@xn--fa-hia.de"),
        ("a@fass.de", "a@fass.de"),
        ("owner@localhost", "owner@localhost"),
        ("ops@team.local", "ops@team.local"),
        ("o'neil+x@example.com", "o'neil+x@example.com"),
    ],
)
def test_internationalized_and_private_addresses_are_accepted(typed: str, canonical: str) -> None:
    assert clean_email(typed) == canonical
    assert clean_email(readable_email(canonical)) == canonical


@pytest.mark.parametrize(
    "typed",
    ["", "ada", "@example.com", "ada@example", "a b@example.com", "ada@192.0.2.1", "ada@exa_mple.com", "a..b@x.example",
     "ada@example.com\r\nBcc: eve@example.com", "ada@\u202eexample.com", "a\u200d@example.com", "ada@💩.example",
     "ada@xn--a.example", f"{'ü' * 65}@example.com", f"ada@{'ü' * 70}.example", "a@b@example.com",
     f"{'a' * 64}@{'.'.join(['ü' * 30] * 6)}.example"],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        clean_email(typed)
    normalize_email(typed)


def test_people_read_the_domain_in_unicode(page: Page) -> None:
    subscriber = make_subscriber(page, STORED)
    assert (str(subscriber), subscriber.address) == ("ada@münchen.example", "ada@münchen.example")
    assert readable_email("ada@xn--a.example") == "ada@xn--a.example"


def subscribe_by_form(page: Page, address: str) -> None:
    assert Client().post("/subscribe", {"email": address}).status_code == 200


def subscribe_by_v2(page: Page, address: str) -> None:
    answer = Client().post("/api/v2/subscribers.json", {"subscriber[email]": address})
    assert answer.status_code == 201
    assert answer.json()["subscriber"]["email"] == STORED


def subscribe_by_csv(page: Page, address: str) -> None:
    parsed = csv_format.parse(page, f"email\n{address.strip()}\n")
    assert not parsed.errors
    import_rows(page, parsed.rows, confirmed=False, actor=ALICE)


def subscribe_by_import(page: Page, address: str) -> None:
    upsert_subscriber(page, IncomingSubscriber(address, "email", "active", email=address), components={})


INTERFACES = [subscribe_by_form, subscribe_by_v2, subscribe_by_csv, subscribe_by_import]


@pytest.mark.parametrize("subscribe", INTERFACES)
@pytest.mark.parametrize("again", INTERFACES)
def test_two_spellings_are_one_subscriber_on_every_interface(page: Page, subscribe: Any, again: Any) -> None:
    for spelling in SPELLINGS[:3]:
        subscribe(page, spelling)
        again(page, spelling)
    assert Subscriber.objects.get().email == STORED


def test_a_file_with_two_spellings_names_both_lines(page: Page) -> None:
    parsed = csv_format.parse(page, "email\n" + "\n".join(SPELLINGS[:2]) + "\n")
    assert parsed.errors == [(3, "ada@münchen.example is already in line 2.")]


def test_simultaneous_spellings_are_one_subscriber(page: Page) -> None:
    start = threading.Barrier(len(SPELLINGS))
    codes: list[int] = []

    def post(spelling: str) -> None:
        client = Client()
        start.wait()
        codes.append(client.post("/subscribe", {"email": spelling}).status_code)
        connection.close()

    threads = [threading.Thread(target=post, args=[spelling]) for spelling in SPELLINGS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * len(SPELLINGS)
    assert Subscriber.objects.get().email == STORED


def test_a_search_finds_every_spelling(page: Page) -> None:
    make_subscriber(page, STORED)
    make_subscriber(page, "ü@example.com")
    for text in ("münchen", "@MÜNCHEN.example", "ada@münchen.example", "mnchen-3ya", "Ada"):
        assert [s.email for s in page.subscribers.all().searched(text)] == [STORED], text
    assert page.subscribers.all().searched("Ü@ex").count() == 1


def test_people_sign_in_and_reset_their_password_with_every_spelling(page: Page) -> None:
    user = make_user("owner", email="Ü@münchen.example")
    assert user.email == "ü@xn--mnchen-3ya.example"
    for spelling in ("ü@münchen.example", "Ü@xn--mnchen-3ya.example", "u\u0308@MÜNCHEN.example."):
        client = Client()
        client.post(reverse("account_login"), {"login": spelling, "password": PASSWORD})
        assert client.session.get("_auth_user_id") == str(user.pk), spelling
        assert users_with_address(spelling) == [user]
    assert User.objects.get().readable_email == "ü@münchen.example"


SAME_MAILBOX = [
    ("victim@example.com", "victim+1@example.com", "v.ictim@example.com", "VICTIM+a+b@example.com"),
    ("victim@gmail.com", "v.i.c.t.i.m+x@googlemail.com"),
    ("victim@yahoo.com", "victim-news@yahoo.com"),
    ("vic-tim@proton.me", "vic_tim@pm.me", "victim@protonmail.com"),
    ("victim@münchen.example", "victim+1@xn--mnchen-3ya.example", "v.ictim@MÜNCHEN.example."),
    ("ü@example.com", "u\u0308+1@example.com", "Ü+x@example.com"),
]


@pytest.mark.parametrize("spellings", SAME_MAILBOX)
def test_spellings_of_a_mailbox_share_one_email_a_day(page: Page, sink: SmtpSink, spellings: tuple[str, ...]) -> None:
    answers = []
    for number, spelling in enumerate(spellings):
        answer = Client().post("/subscribe", {"email": spelling}, REMOTE_ADDR=f"192.0.2.{number}")
        answers.append(answer.content.decode().replace(readable_email(normalize_email(spelling)), "ADDRESS"))
        Client().post("/api/v2/subscribers.json", {"email": spelling}, REMOTE_ADDR=f"198.51.100.{number}")
    assert len({answer.replace("&#x27;", "'") for answer in answers}) == 1
    drain()
    assert len(sink.emails) == 1


@pytest.mark.parametrize(
    "others", [("ada@example.com", "bob@example.com"), ("anna-maria@example.com", "anna-lena@example.com")]
)
def test_other_mailboxes_have_their_own_limit(others: tuple[str, str]) -> None:
    assert len({mailbox_key(address) for address in others}) == 2


def test_a_long_address_has_a_key_that_fits(page: Page) -> None:
    assert Client().post("/subscribe", {"email": f"{'ﷺ' * 20}@example.com"}).status_code == 200


def test_staff_add_two_addresses_of_one_mailbox(page: Page, sink: SmtpSink) -> None:
    actor = Actor("user", "1", "Alice")
    for address in ("team+a@example.com", "team+b@example.com"):
        import_rows(page, csv_format.parse(page, f"email\n{address}\n").rows, confirmed=False, actor=actor)
    drain()
    assert len(mails_to(sink, "team+a@example.com") + mails_to(sink, "team+b@example.com")) == 2
    Client().post("/subscribe", {"email": "te.am@example.com"})
    drain()
    assert len(sink.emails) == 2


def test_one_domain_gets_a_bounded_number_of_requests(page: Page, settings: Settings) -> None:
    settings.SUBSCRIBE_LIMIT_PER_DOMAIN = 2
    client = Client()

    def code(address: str, path: str = "/subscribe") -> int:
        return client.post(path, {"email": address, "endpoint": "https://example.com/hook"}).status_code

    assert [code(f"r{n}@example.com") for n in range(3)] == [200, 200, 429]
    assert code("r9@EXAMPLE.com.", "/subscribe/webhook") == code("r9@example.com", "/api/v2/subscribers.json") == 429
    assert code("ada@other.example") == 200
    assert [code(f"r{n}@gmail.com") for n in range(3)] == [200, 200, 200]


def test_one_mailbox_gets_few_emails_on_all_pages_together(page: Page, sink: SmtpSink) -> None:
    hosts = [f"s{n}.example" for n in range(8)]
    for host in hosts:
        make_page(name=host, domain=host)
        assert Client().post("/subscribe", {"email": "ada@example.com"}, headers={"host": host}).status_code == 200
    drain()
    assert len(sink.emails) == EMAILS_PER_MAILBOX
