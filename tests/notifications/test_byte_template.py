"""The filled byte template says what Django's own message would say, on every kind of server."""

import email
import email.policy
import re
from email.message import EmailMessage
from itertools import product
from typing import Any

import pytest
from django.utils import timezone
from time_machine import travel

from incidents.models import Page
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.messages.email import EmailTemplate
from statuspage.notifications.messages.notification import read_notification
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports import TransportError
from statuspage.notifications.transports.email import EmailTransport
from statuspage.notifications.transports.smtp.byte_template import ByteTemplate
from statuspage.notifications.transports.smtp.connect import Features
from statuspage.notifications.transports.smtp.envelope import ComposedEmail, Envelope
from statuspage.notifications.transports.smtp.headers import GAP_VALUES, build_message, mailbox
from tests.factories import make_incident, make_page, make_subscriber

pytestmark = pytest.mark.django_db

BODIES = {
    "plain": "We are looking.",
    "dots": ".\n..\n.hidden\n\n```\n.\n..code\n```",
    "long": "word " * 1500,
    "unbroken": "x" * 5000,
    "any script": "現在調査中です。 Ünïted “Labs” 🙂",
    "signs": "a=b ==20 =\n=3D trailing blanks  \n\ttabs\t\n",
}
SERVERS = list(product(BODIES, [True, False]))


def composed_for(body: str, address: str = "ada@example.com", **page: Any) -> tuple[ComposedEmail, Delivery]:
    make_subscriber(where := make_page(**page), address)
    make_incident(where, title="API outage: Ünïted", body=body)
    fan_out_waiting()
    delivery = Delivery.objects.select_related("subscriber__page").get()
    notification = read_notification([delivery.event_id or 0])[delivery.event_id or 0]
    composed = EmailTransport().compose(delivery, notification)
    assert isinstance(composed, ComposedEmail)
    return composed, delivery


def unstuffed(raw: bytes) -> bytes:
    """What a server keeps of a text (RFC 5321 section 4.5.2)."""
    assert raw.endswith(b"\r\n.\r\n")
    return re.sub(rb"^\.", b"", raw.removesuffix(b".\r\n"), flags=re.MULTILINE)


def parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def contents(message: EmailMessage) -> list[tuple[str, str]]:
    parts = [part for part in message.walk() if not part.is_multipart()]
    return [(part.get_content_type(), part.get_content().replace("\r\n", "\n")) for part in parts]


def headers(message: EmailMessage) -> dict[str, str]:
    """All but the boundary, which is drawn anew each time."""
    return {name: str(value) for name, value in message.items() if name != "Content-Type"}


@pytest.mark.parametrize(("body", "eight_bit"), SERVERS)
def test_a_filled_template_means_what_django_would_send(body: str, eight_bit: bool) -> None:  # noqa: FBT001
    composed, delivery = composed_for(BODIES[body], name="Ação & Co")
    with travel(timezone.now(), tick=False):  # signatures contain the second
        values = {name: value(delivery) for name, value in GAP_VALUES.items()}
        expected = parsed(build_message(composed.email, values, is_list=True, in_thread=True).message().as_bytes())
        template = composed.template(eight_bit=eight_bit, dot_stuffed=True)
        raw = unstuffed(template.fill(delivery))
    message = parsed(raw)
    assert headers(message) == headers(expected)
    assert contents(message) == contents(expected)
    assert message.get_content_type() == expected.get_content_type() == "multipart/alternative"
    assert not message.defects
    assert not [defect for part in message.walk() for defect in part.defects]
    assert raw.isascii() or eight_bit
    assert template.is_eight_bit == (not raw.isascii())


@pytest.mark.parametrize(("body", "eight_bit"), SERVERS)
def test_lines_are_as_smtp_wants_them(body: str, eight_bit: bool) -> None:  # noqa: FBT001
    composed, delivery = composed_for(BODIES[body])
    raw = composed.template(eight_bit=eight_bit, dot_stuffed=True).fill(delivery)
    lines = raw.split(b"\r\n")
    assert all(len(line) <= 998 for line in lines)
    assert not [line for line in lines if b"\r" in line or b"\n" in line]
    assert lines[-2:] == [b".", b""]
    assert not [line for line in lines[:-2] if line.startswith(b".") and not line.startswith(b"..")]


def test_quoted_printable_lines_have_at_most_76_characters() -> None:
    composed, delivery = composed_for(BODIES["any script"], domain="a-rather-long-host-name." * 4 + "example.com")
    message = parsed(composed.template(eight_bit=False, dot_stuffed=False).fill(delivery))
    quoted = [part for part in message.walk() if part["Content-Transfer-Encoding"] == "quoted-printable"]
    assert len(quoted) == 2
    for part in quoted:
        payload = str(part.get_payload())
        assert all(len(line) <= 76 for line in payload.splitlines())


def test_nobody_who_writes_a_text_can_ask_for_a_readers_links() -> None:
    """Not even by guessing how gaps may look."""
    composed, delivery = composed_for("gap0123456789abcdefx quoted0123456789abcdefx https://manage.invalid/0123")
    raw = composed.template(eight_bit=True, dot_stuffed=False).fill(delivery)
    assert b"gap0123456789abcdefx quoted0123456789abcdefx" in raw
    assert raw.count(delivery.subscriber.public_id.encode()) == 5  # List-Unsubscribe, and two links in each part


def test_each_reader_gets_their_own_values(page: Page) -> None:
    ada, bob = make_subscriber(page, "ada@example.com"), make_subscriber(page, "bob@example.com")
    make_incident(page)
    fan_out_waiting()
    first, second = Delivery.objects.select_related("subscriber__page").order_by("subscriber")
    notification = read_notification([first.event_id or 0])
    composed = EmailTransport().compose(first, notification[first.event_id or 0])
    template = composed.template(eight_bit=True, dot_stuffed=False)
    to_ada, to_bob = template.fill(first), template.fill(second)
    assert (b"To: ada@example.com\r\n" in to_ada, b"To: bob@example.com\r\n" in to_bob) == (True, True)
    assert bob.public_id.encode() not in to_ada
    assert ada.public_id.encode() not in to_bob
    assert parsed(to_ada)["Message-ID"] != parsed(to_bob)["Message-ID"]


@pytest.mark.parametrize(
    ("address", "sent_as"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada+status@Example.COM", "Ada+status@Example.COM"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("adä@example.com", "adä@example.com"),
        ('"ada l."@example.com'.replace(" ", ""), '"adal."@example.com'),
        ("root@localhost", "root@localhost"),
    ],
)
def test_an_address_is_sent_as_commands_can_carry_it(address: str, sent_as: str) -> None:
    assert mailbox(address) == sent_as


@pytest.mark.parametrize(
    "address",
    ["", "ada", "@example.com", "ada@", "a b@example.com", "ada@example.com\r\nRCPT TO:<eve@example.com>",
     "<ada@example.com>", "ada@example.com>", "ada@exa\x00mple.com", "ada@example.com\u2028x", "ä <eve@example.com>"],
)  # fmt: skip
def test_what_could_break_out_of_a_command_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="not an email address"):
        mailbox(address)


def test_an_address_beyond_ascii_needs_a_server_that_takes_it() -> None:
    composed, delivery = composed_for("Hello", address="adä@example.com")
    envelope = Envelope(composed, delivery)
    with pytest.raises(TransportError, match="beyond ASCII"):
        envelope.prepare(Features(pipelining=True, eight_bit=True))
    envelope.prepare(Features(eight_bit=True, smtputf8=True))
    assert envelope.mail_command.endswith(b" SMTPUTF8\r\n")
    assert envelope.rcpt_command == "RCPT TO:<adä@example.com>\r\n".encode()
    assert "To: adä@example.com\r\n".encode() in envelope.data


def test_eight_bit_is_announced_only_where_it_is_used_and_offered() -> None:
    composed, delivery = composed_for("Ünïted")
    envelope = Envelope(composed, delivery)
    envelope.prepare(Features(eight_bit=True))
    assert b" BODY=8BITMIME" in envelope.mail_command
    envelope.prepare(Features())
    assert b"BODY" not in envelope.mail_command
    assert envelope.data.isascii()


def test_a_template_is_written_once_for_each_kind_of_server() -> None:
    composed, _ = composed_for("Hello")
    first = composed.template(eight_bit=True, dot_stuffed=True)
    assert isinstance(first, ByteTemplate)
    assert composed.template(eight_bit=True, dot_stuffed=True) is first
    assert composed.template(eight_bit=False, dot_stuffed=True) is not first
    assert isinstance(composed.email, EmailTemplate)
