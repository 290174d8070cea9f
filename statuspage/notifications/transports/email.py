"""Email: sent over SMTP connections of the pool, or through another Django email backend (files)."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import compat32
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from statuspage.notifications.messages.email import email_for
from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.models import Delivery
from statuspage.notifications.staff.deliveries import message_to_person
from statuspage.notifications.transports.base import ChannelDown, Outcome, Transport
from statuspage.notifications.transports.smtp.connect import SMTP_BACKEND
from statuspage.notifications.transports.smtp.envelope import Composed, ComposedEmail, ComposedMessage
from statuspage.notifications.transports.smtp.headers import envelope_sender
from statuspage.notifications.transports.smtp.kept_pool import KEPT_POOL
from statuspage.notifications.transports.smtp.pool import SmtpPool


class EmailTransport(Transport):
    def __init__(self) -> None:
        self._is_smtp = settings.EMAIL_BACKEND == SMTP_BACKEND
        self._pool: SmtpPool | None = None

    def compose(self, delivery: Delivery, notification: Notification | None) -> Composed:
        if delivery.person_id:
            return ComposedMessage(message_to_person(delivery))
        email = email_for(delivery.kind, delivery.subscriber, notification)
        in_thread = delivery.incident_id is not None
        return ComposedEmail(email, is_list=delivery.subscriber.is_active, in_thread=in_thread)

    def send_many(self, pairs: Iterator[tuple[Any, Delivery]]) -> Iterator[Outcome]:
        if not self._is_smtp:
            return super().send_many(pairs)
        self._pool = self._pool or KEPT_POOL.take()
        return self._pool.send_many(pairs)

    def send(self, composed: Composed, delivery: Delivery) -> None:
        if not self._is_smtp:
            _send_with_django(composed, delivery)
            return
        for _, error in self.send_many(iter([(composed, delivery)])):
            if error:
                raise error

    def close(self) -> None:
        if self._pool:
            KEPT_POOL.keep(self._pool)
            self._pool = None


_UNFOLDED = compat32.clone(max_line_length=998)


class _SerializedMessage(EmailMessage):
    """A message that is already serialized."""

    raw = b""

    def message(self, **_options: Any) -> Any:
        # As in smtp.headers.Message: headers are not folded.
        return message_from_bytes(self.raw.replace(b"\r\n", b"\n"), policy=_UNFOLDED)


def _send_with_django(composed: Composed, delivery: Delivery) -> None:
    try:
        get_connection().send_messages([_django_message(composed, delivery)])
    except OSError as error:
        raise ChannelDown(str(error)) from error


def _django_message(composed: Composed, delivery: Delivery) -> EmailMessage:
    if isinstance(composed, ComposedMessage):
        return composed.message
    message = _SerializedMessage(composed.email.subject, "", envelope_sender(delivery), [delivery.email])
    message.raw = composed.template(eight_bit=True, dot_stuffed=False).fill(delivery)
    return message
