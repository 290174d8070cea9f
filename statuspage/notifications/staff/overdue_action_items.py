"""Queue the weekly notice to owners of overdue action items, and write its email."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.template.loader import render_to_string

from incidents.models import ActionItem, Page
from statuspage.accounts.models import User
from statuspage.common.urls import absolute_url, console_url
from statuspage.notifications.messages.staff_email import StaffEmail
from statuspage.notifications.models.staff_notices import StaffNotice

# On the page's clock: nobody is to be woken by it.
FROM_HOUR = 8


def queue_due(now: datetime) -> None:
    for page in Page.objects.order_by("pk"):
        local = now.astimezone(page.zone)
        if local.hour >= FROM_HOUR:
            for person in _late_owners(page, now):
                StaffNotice.objects.remind_owner(page, person, week=f"{local:%G-W%V}")


def items_of(person: User, items: Iterable[ActionItem]) -> list[ActionItem]:
    """Those whose owner is written as the person's name or address."""
    names = {name.strip().casefold() for name in (person.name, person.email) if name.strip()}
    return [item for item in items if item.owner.strip().casefold() in names]


def email_of(notice: StaffNotice, now: datetime) -> StaffEmail | None:
    """The email with the current facts. None if nothing is overdue any more, or the person turned these emails off."""
    page, person = notice.page, notice.person
    if person is None or not person.is_active or not person.wants_overdue:
        return None
    items = items_of(person, _overdue(page, now))
    if not items:
        return None
    links = [
        (item, absolute_url(page, console_url(page, "postmortem", item.postmortem.incident.public_id)))
        for item in items
    ]
    context = {"page": page, "items": links, "account_url": absolute_url(page, console_url(page, "account"))}
    text = render_to_string("notifications/email/staff_overdue_action_items.txt", context)
    subject = "An action item is overdue" if len(items) == 1 else f"{len(items)} action items are overdue"
    return StaffEmail(page, subject, text.strip() + "\n", f"overdue:{page.public_id}")


def _late_owners(page: Page, now: datetime) -> Iterator[User]:
    items = _overdue(page, now)
    if items:
        yield from (person for person in User.objects.to_notify_of_overdue_items() if items_of(person, items))


def _overdue(page: Page, now: datetime) -> list[ActionItem]:
    return list(ActionItem.objects.overdue(page, today=now.astimezone(page.zone).date()))
