"""One email to send: its SMTP envelope and its text, encoded for the server that receives it."""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.message import utf8_charset_qp

from statuspage.notifications.messages.email import EmailTemplate
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.base import TransportError
from statuspage.notifications.transports.smtp.byte_template import ByteTemplate
from statuspage.notifications.transports.smtp.connect import Features
from statuspage.notifications.transports.smtp.headers import envelope_sender, mailbox

# The status says that it is not the recipient's fault (RFC 6531 section 3.5), so the subscriber is not paused.
_NO_SMTPUTF8 = "5.6.7 The mail server does not support addresses with characters beyond ASCII (SMTPUTF8)."


class ComposedEmail:
    """An email, serialized once for each set of extensions that a server supports."""

    def __init__(self, email: EmailTemplate, *, is_list: bool, in_thread: bool) -> None:
        self.email = email
        self._options: dict[str, Any] = {"is_list": is_list, "in_thread": in_thread}
        self._templates: dict[tuple[bool, bool], ByteTemplate] = {}

    def template(self, *, eight_bit: bool, dot_stuffed: bool) -> ByteTemplate:
        key = eight_bit, dot_stuffed
        if key not in self._templates:
            self._templates[key] = ByteTemplate(
                self.email, eight_bit=eight_bit, dot_stuffed=dot_stuffed, **self._options
            )
        return self._templates[key]


def message_bytes(message: EmailMessage) -> bytes:
    """Serialize a message to one recipient, with CRLF line endings.

    Django encodes a local part beyond ASCII. Where SMTPUTF8 is used, it is sent as it is (RFC 6532 section 3.2).
    """
    (recipient,) = message.to
    gap = f"gap{secrets.token_hex(8)}@localhost"
    message.to = [recipient if recipient.isascii() else gap]
    raw = message.message().as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    message.to = [recipient]
    return raw.replace(gap.encode(), mailbox(recipient).encode())


class ComposedMessage:
    """A message to one person, complete. Offers the server what a ComposedEmail does."""

    def __init__(self, message: EmailMessage) -> None:
        self.message = message

    def template(self, *, eight_bit: bool, dot_stuffed: bool) -> CompleteMessage:
        self.message.encoding = None if eight_bit else utf8_charset_qp
        raw = message_bytes(self.message)
        if dot_stuffed:
            raw = re.sub(rb"^\.", b"..", raw, flags=re.MULTILINE) + b".\r\n"
        return CompleteMessage(raw)


class CompleteMessage:
    """What `fill` returns is the same for every delivery: there is only one."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.is_eight_bit = not raw.isascii()

    def fill(self, _delivery: Delivery) -> bytes:
        return self._raw


Composed = ComposedEmail | ComposedMessage


class Envelope:
    """The SMTP commands and the text of one delivery.

    `is_text_sent`: the text was written (at `text_sent_at`, by time.monotonic()), so the server may have it.
    `is_settled`: the outcome is known.
    """

    __slots__ = (
        "composed",
        "data",
        "delivery",
        "is_settled",
        "is_text_sent",
        "mail_command",
        "rcpt_command",
        "text_sent_at",
    )

    def __init__(self, composed: Composed, delivery: Delivery) -> None:
        self.composed = composed
        self.delivery = delivery
        self.is_text_sent = self.is_settled = False
        self.text_sent_at = 0.0
        self.data = self.mail_command = self.rcpt_command = b""

    def prepare(self, features: Features) -> None:
        """Encode commands and text for a server with `features`. TransportError or ValueError if that is impossible."""
        template = self.composed.template(eight_bit=features.eight_bit, dot_stuffed=True)
        recipient = mailbox(self.delivery.email)
        options = b" BODY=8BITMIME" if template.is_eight_bit else b""
        if not recipient.isascii():
            if not features.smtputf8:
                raise TransportError(_NO_SMTPUTF8, permanent=True)
            options += b" SMTPUTF8"
        self.mail_command = b"MAIL FROM:<%b>%b\r\n" % (mailbox(envelope_sender(self.delivery)).encode(), options)
        self.rcpt_command = b"RCPT TO:<%b>\r\n" % recipient.encode()
        self.data = template.fill(self.delivery)
