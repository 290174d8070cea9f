"""One mail to be handed over: its envelope, and its text for the server that takes it."""

from __future__ import annotations

from typing import Any

from statuspage.notifications.messages.email import EmailTemplate
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.base import TransportError
from statuspage.notifications.transports.smtp.byte_template import ByteTemplate
from statuspage.notifications.transports.smtp.connect import Features
from statuspage.notifications.transports.smtp.headers import envelope_sender, mailbox


class ComposedEmail:
    """A letter, written as bytes once for each kind of server that it is sent through."""

    def __init__(self, email: EmailTemplate, *, is_list: bool, in_thread: bool) -> None:
        self.email = email
        self._traits: dict[str, Any] = {"is_list": is_list, "in_thread": in_thread}
        self._templates: dict[tuple[bool, bool], ByteTemplate] = {}

    def template(self, *, eight_bit: bool, stuffed: bool) -> ByteTemplate:
        key = eight_bit, stuffed
        if key not in self._templates:
            self._templates[key] = ByteTemplate(self.email, eight_bit=eight_bit, stuffed=stuffed, **self._traits)
        return self._templates[key]


class Envelope:
    """`is_given`: the text was written (`given_at`, by time.monotonic()), so the server may have it. `is_over`: what
    became of it is known."""

    __slots__ = ("composed", "data", "delivery", "given_at", "is_given", "is_over", "mail_command", "rcpt_command")

    def __init__(self, composed: ComposedEmail, delivery: Delivery) -> None:
        self.composed = composed
        self.delivery = delivery
        self.is_given = self.is_over = False
        self.given_at = 0.0
        self.data = self.mail_command = self.rcpt_command = b""

    def address(self, features: Features) -> None:
        """Write envelope and text as the server can take them. TransportError or ValueError if it cannot."""
        template = self.composed.template(eight_bit=features.eight_bit, stuffed=True)
        recipient = mailbox(self.delivery.subscriber.email)
        options = b" BODY=8BITMIME" if template.is_eight_bit else b""
        if not recipient.isascii():
            if not features.smtputf8:
                raise TransportError("The mail server cannot send to an address with letters beyond ASCII.")
            options += b" SMTPUTF8"
        self.mail_command = b"MAIL FROM:<%b>%b\r\n" % (mailbox(envelope_sender(self.delivery)).encode(), options)
        self.rcpt_command = b"RCPT TO:<%b>\r\n" % recipient.encode()
        self.data = template.fill(self.delivery)
