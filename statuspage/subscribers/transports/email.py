"""E-mail through Django's mail connection: an SMTP server, or a folder of .eml files."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import format_datetime, formataddr
from typing import Any
from urllib.parse import urlsplit

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from statuspage.common.signing import seal_number, stable_id
from statuspage.common.urls import absolute_url
from statuspage.subscribers.letters import (
    Letter,
    feedback_id,
    letter_for,
    message_key,
    one_line,
    sender_address,
    thread_key,
)
from statuspage.subscribers.links import unsubscribe_url
from statuspage.subscribers.models import Delivery
from statuspage.subscribers.news import News
from statuspage.subscribers.returnpath import DELIVERY, provider_headers, return_path
from statuspage.subscribers.transports.base import ChannelDown, Transport, TransportError

# Answers to RCPT that speak of us, not of the mailbox: authentication and TLS wanted, credentials refused (RFC 4954).
_OUR_FAULT = {530, 534, 535, 538}
# So many messages in a row cut off half-way are no accident of one message.
_MAX_CUT_OFF = 3


class EmailTransport(Transport):
    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None
        self._used = False
        self._cut_off = 0

    def compose(self, delivery: Delivery, news: News | None) -> Letter:
        return letter_for(delivery.kind, delivery.subscriber, news)

    def send(self, composed: Letter, delivery: Delivery) -> None:
        message = build(composed, delivery)
        try:
            self._hand_over(message)
        except _CutOff:
            if not self._used:
                raise self._lost() from None
            # Servers close idle and long connections: once more, on a new one.
            self.close()
            self._send_again(message)
        self._used = True
        self._cut_off = 0

    def close(self) -> None:
        connection, self._connection, self._used = self._connection, None, False
        if connection is not None:
            with suppress(OSError, smtplib.SMTPException):
                connection.close()

    def _send_again(self, message: EmailMultiAlternatives) -> None:
        try:
            self._hand_over(message)
        except _CutOff:
            raise self._lost() from None

    def _lost(self) -> Exception:
        """A new connection broke before the message was accepted: perhaps this message's fault, perhaps not."""
        self.close()
        self._cut_off += 1
        error = "The mail server closed the connection before it accepted the message."
        return ChannelDown(error) if self._cut_off >= _MAX_CUT_OFF else TransportError(error)

    def _hand_over(self, message: EmailMultiAlternatives) -> None:
        connection = self._opened()
        with _translated_errors():
            connection.send_messages([message])

    def _opened(self) -> BaseEmailBackend:
        if self._connection is None:
            self._connection = get_connection()
            try:
                self._connection.open()
            except (OSError, smtplib.SMTPException) as error:
                self.close()  # it may be half open: connected, but not logged in
                raise ChannelDown(f"Cannot connect to the mail server: {_words(error)}") from error
        return self._connection


class _CutOff(Exception):
    """The connection broke while a message was handed over."""


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused_recipient(error) from error
    except smtplib.SMTPDataError as error:
        # After DATA the server has judged the text, or its own disk: no reason to strike the reader off.
        raise TransportError(_words(error)) from error
    except smtplib.SMTPServerDisconnected as error:
        raise _CutOff from error
    except smtplib.SMTPException as error:
        raise ChannelDown(f"The mail server refused us: {_words(error)}") from error
    except (ConnectionError, TimeoutError) as error:
        raise _CutOff from error
    except OSError as error:
        raise ChannelDown(_words(error)) from error


def _refused_recipient(refused: smtplib.SMTPRecipientsRefused) -> Exception:
    code, _ = next(iter(refused.recipients.values()))
    words = _words(refused)
    if code == 421:
        return _CutOff(words)
    if code in _OUR_FAULT or "relay" in words.lower():
        return ChannelDown(f"The mail server does not send for us: {words}")
    return TransportError(words, permanent=code >= 500)


def _words(error: Exception) -> str:
    """`550 5.1.1 No such user`: what the server said, as one line that people can read."""
    code: object = getattr(error, "smtp_code", "")
    answer: object = getattr(error, "smtp_error", "")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(error.recipients.values()))
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return one_line(f"{code} {text}" if code else str(error) or type(error).__name__)[:500]


class Message(EmailMultiAlternatives):
    """Does not fold headers: a List-Unsubscribe address on a line of its own is legal, and missed by simple readers."""

    def message(self, **options: Any) -> Any:
        message = super().message(**options)
        message.policy = message.policy.clone(max_line_length=998)  # RFC 5322 section 2.1.1
        return message


def build(letter: Letter, delivery: Delivery) -> EmailMultiAlternatives:
    """The message for one recipient."""
    text, html = letter.bodies(delivery.subscriber)
    # Django takes the envelope's sender from here; what readers see is the From among the headers.
    envelope_from = return_path(seal_number(DELIVERY, delivery.pk)) or letter.sender
    message = Message(
        letter.subject, text, envelope_from, [delivery.subscriber.email], headers=_headers(letter, delivery)
    )
    message.attach_alternative(html, "text/html")
    return message


def _headers(letter: Letter, delivery: Delivery) -> dict[str, Any]:
    domain = sender_address().rpartition("@")[2] or "localhost"
    headers = {
        "From": letter.sender,
        # The same for a mail that is sent twice, so that its doubles can be told (and dropped).
        "Message-ID": f"<{stable_id('message', *message_key(delivery))}@{domain}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: no vacation answers, please
        "X-Auto-Response-Suppress": "All",
        "Feedback-ID": feedback_id(letter.campaign, letter.page, delivery.kind),
    }
    if letter.written_at:
        headers["Date"] = format_datetime(letter.written_at)
    if delivery.incident_id:
        thread = f"<{stable_id('thread', *thread_key(delivery))}@{domain}>"
        headers |= {"In-Reply-To": thread, "References": thread}
    if delivery.subscriber.is_active:
        host = urlsplit(absolute_url(letter.page, "/")).hostname or domain
        headers |= {
            "List-Id": formataddr((one_line(letter.page.name), f"{letter.page.public_id}.{host}")),  # RFC 2919
            "List-Unsubscribe": f"<{unsubscribe_url(delivery.subscriber)}>",  # RFC 2369
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        }
    return headers | provider_headers(seal_number(DELIVERY, delivery.pk))
