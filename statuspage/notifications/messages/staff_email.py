"""The emails to members of staff, written when they are sent: from notices, and as account emails."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import format_datetime, formataddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone

from incidents.models import Page
from statuspage.accounts.models import User
from statuspage.accounts.password_reset import password_reset_url
from statuspage.common.signing import derived_id
from statuspage.notifications.messages.email import one_line, sender_address, sender_domain


@dataclass(frozen=True)
class StaffEmail:
    """An email without its recipient. Emails with the same `thread` are shown together."""

    page: Page
    subject: str
    text: str
    thread: str


def notice_message(content: StaffEmail, person: User, *, key: str) -> EmailMessage:
    """`key` makes its Message-ID the same on every attempt."""
    thread = f"<{derived_id('staff-thread', content.thread)}@{sender_domain()}>"
    headers = {
        "From": formataddr((one_line(content.page.name), sender_address())),
        "Message-ID": f"<{derived_id('staff', key)}@{sender_domain()}>",
        "Date": format_datetime(timezone.now()),
        "In-Reply-To": thread,
        "References": thread,
        "Auto-Submitted": "auto-generated",  # RFC 3834: no automatic replies
        "X-Auto-Response-Suppress": "All",
    }
    subject = f"[{one_line(content.page.name)}] {one_line(content.subject)}"
    return EmailMessage(subject, content.text, sender_address(), [person.email], headers=headers)


def password_reset_message(person: User, *, key: str) -> EmailMessage:
    """The link is created here, so that no reset token is ever stored. `key` identifies the email."""
    context = {
        "email": person.email,
        "site_url": settings.SITE_URL,
        "password_reset_url": password_reset_url(person),
    }
    subject = one_line(render_to_string("account/email/password_reset_key_subject.txt", context))
    text = render_to_string("account/email/password_reset_key_message.txt", context).strip() + "\n"
    headers = {
        "From": settings.DEFAULT_FROM_EMAIL,
        "Message-ID": f"<{derived_id('account', key)}@{sender_domain()}>",
        "Date": format_datetime(timezone.now()),
        "Auto-Submitted": "auto-generated",
        "X-Candor-Kind": "account",
    }
    return EmailMessage(subject, text, sender_address(), [person.email], headers=headers)
