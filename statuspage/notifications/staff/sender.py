"""Hands mails to staff to the mail server: every row of a kind of StaffNotice, to everybody whom it concerns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import format_datetime, formataddr

from django.core.mail import EmailMessage
from django.utils import timezone

from incidents.models import Page
from statuspage.accounts.models import User
from statuspage.common.signing import stable_id
from statuspage.notifications.messages.email import one_line, sender_address
from statuspage.notifications.models import ChannelState
from statuspage.notifications.models.staff_notices import Notice, StaffNoticeQuerySet
from statuspage.notifications.transports.base import ChannelDown, TransportError
from statuspage.notifications.transports.smtp.connect import send_message
from statuspage.notifications.transports.smtp.headers import sender_domain
from statuspage.subscribers.models import Channel

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StaffEmail:
    """A mail but for its recipient. `key` makes its Message-ID the same each time it is sent to one; letters with the
    same `thread` are shown together."""

    page: Page
    subject: str
    text: str
    key: str
    thread: str


def send_notices(
    notices: StaffNoticeQuerySet[Notice], write: Callable[[Notice], StaffEmail | None], people: Iterable[User]
) -> None:
    """Send all of `notices` that nobody else is sending to `people`; those of which `write` makes none are forgotten.

    Stops where the mail server takes nothing: the channel rests then, for subscribers too.
    """
    if ChannelState.objects.is_paused(Channel.EMAIL):
        return
    people = list(people)
    while notice := notices.claim():
        email = write(notice)
        if email is None:
            notice.forget()
            continue
        try:
            _send(notice, email, people)
        except ChannelDown as fault:
            length = ChannelState.objects.pause(Channel.EMAIL, str(fault))
            notice.defer(str(fault), after=length)
            logger.warning("Mail to staff rests for %d s: %s", length.total_seconds(), fault)
            return


def _send(notice: Notice, email: StaffEmail, people: Iterable[User]) -> None:
    """Somebody whose mailbox is refused for good is left out this time; for now, is tried again later."""
    later = ""
    for person in people:
        if person.pk in notice.told:
            continue
        try:
            send_message(_message(email, person))
        except ChannelDown:
            raise
        except Exception as error:
            logger.warning("%s was not mailed to user %d: %s", notice, person.pk, error)
            if isinstance(error, TransportError) and not error.permanent:
                later = str(error)
                continue
        else:
            ChannelState.objects.recovered(Channel.EMAIL)
        if not notice.mark_told(person.pk):
            return
    if later:
        notice.defer(later)
    else:
        notice.finish()


def _message(email: StaffEmail, person: User) -> EmailMessage:
    thread = f"<{stable_id('staff-thread', email.thread)}@{sender_domain()}>"
    headers = {
        "From": formataddr((one_line(email.page.name), sender_address())),
        "Message-ID": f"<{stable_id('staff', email.key, person.pk)}@{sender_domain()}>",
        "Date": format_datetime(timezone.now()),
        "In-Reply-To": thread,
        "References": thread,
        "Auto-Submitted": "auto-generated",  # RFC 3834: no vacation answers, please
        "X-Auto-Response-Suppress": "All",
    }
    subject = f"[{one_line(email.page.name)}] {one_line(email.subject)}"
    return EmailMessage(subject, email.text, sender_address(), [person.email], headers=headers)
