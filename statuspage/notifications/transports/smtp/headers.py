"""Build the message for one recipient from an email template and the values that differ between recipients."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import format_datetime, formataddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import EmailValidator

from statuspage.common.email_addresses import ascii_domain
from statuspage.common.signing import derived_id
from statuspage.common.urls import absolute_url
from statuspage.notifications.messages.email import (
    EmailTemplate,
    feedback_id,
    message_key,
    one_line,
    sender_address,
    sender_domain,
    thread_key,
)
from statuspage.notifications.messages.return_path import delivery_token, provider_headers, return_path
from statuspage.notifications.models import Delivery
from statuspage.subscribers.links import confirm_url, manage_url, unsubscribe_url

# Addresses that need no quoting, neither in a header nor in an SMTP command (RFC 5321 section 4.1.2).
_SIMPLE_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f<>\u2028\u2029]")
_validate = EmailValidator(allowlist=["localhost"])


def mailbox(address: str) -> str:
    """Return `address` with its domain in ASCII (RFC 5891), for commands and headers. ValueError if it is invalid."""
    if _SIMPLE_ADDRESS.fullmatch(address):
        return address
    local, _, domain = address.rpartition("@")
    if _UNSAFE.search(address) or not local:
        raise ValueError(f"{one_line(address)!r} is not an email address.")
    if local.isascii():
        try:
            _validate(address)
        except ValidationError as error:
            raise ValueError(f"{address!r} is not an email address.") from error
    return f"{local}@{ascii_domain(domain)}"


def envelope_sender(delivery: Delivery) -> str:
    """Return the address for delivery status notifications (RFC 5321 section 4.4)."""
    if delivery.person_id or not settings.BOUNCE_ADDRESS:
        return sender_address()
    return return_path(delivery_token(delivery)) or sender_address()


def _message_id(delivery: Delivery) -> str:
    """Return the same id if an email is sent twice, so that duplicates can be recognized and dropped."""
    return f"<{derived_id('message', *message_key(delivery))}@{sender_domain()}>"


def _thread_id(delivery: Delivery) -> str:
    return f"<{derived_id('thread', *thread_key(delivery))}@{sender_domain()}>"


# The values that differ between recipients, by the name of their gap.
GAP_VALUES: dict[str, Callable[[Delivery], str]] = {
    "to": lambda delivery: mailbox(delivery.subscriber.email),
    "message_id": _message_id,
    "thread": _thread_id,
    "unsubscribe": lambda delivery: unsubscribe_url(delivery.subscriber),
    "manage": lambda delivery: manage_url(delivery.subscriber),
    "confirm": lambda delivery: confirm_url(delivery.subscriber),
    "endpoint": lambda delivery: delivery.subscriber.address,
    "token": delivery_token,
}


class Message(EmailMultiAlternatives):
    """A message with unfolded headers: simple parsers miss a List-Unsubscribe address on a continuation line."""

    def message(self, **options: Any) -> Any:
        message = super().message(**options)
        message.policy = message.policy.clone(max_line_length=998)  # RFC 5322 section 2.1.1
        return message


def build_message(
    email: EmailTemplate, values: Mapping[str, str], *, is_list: bool, in_thread: bool
) -> EmailMultiAlternatives:
    """Return the message with `values` in its gaps.

    `is_list`: the recipient is subscribed. `in_thread`: the message is about an incident.
    """
    text, html = email.text, email.html
    for name, gap in email.gaps.items():
        text, html = text.replace(gap, values[name]), html.replace(gap, values[name])
    headers = _headers(email, values)
    if in_thread:
        headers |= {"In-Reply-To": values["thread"], "References": values["thread"]}
    if is_list:
        headers |= _list_headers(email, values)
    message = Message(email.subject, text, email.sender, [values["to"]], headers=headers)
    message.attach_alternative(html, "text/html")
    return message


def _headers(email: EmailTemplate, values: Mapping[str, str]) -> dict[str, Any]:
    headers = {
        "Message-ID": values["message_id"],
        "Auto-Submitted": "auto-generated",  # RFC 3834: suppresses vacation replies
        "X-Auto-Response-Suppress": "All",
        "Feedback-ID": feedback_id(email.campaign, email.page, email.kind),
    }
    if email.written_at:
        headers["Date"] = format_datetime(email.written_at)
    return headers | provider_headers(values["token"])


def _list_headers(email: EmailTemplate, values: Mapping[str, str]) -> dict[str, Any]:
    host = urlsplit(absolute_url(email.page, "/")).hostname or sender_domain()
    return {
        "List-Id": formataddr((one_line(email.page.name), f"{email.page.public_id}.{host}")),  # RFC 2919
        "List-Unsubscribe": f"<{values['unsubscribe']}>",  # RFC 2369
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
    }
