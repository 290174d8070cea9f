"""The round that tells the owners of overdue action items of them, once a week."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial

from django.template.loader import render_to_string

from incidents.models import ActionItem, Page
from statuspage.accounts.models import User
from statuspage.common.urls import absolute_url, console_url
from statuspage.notifications.models import OverdueNotice
from statuspage.notifications.staff.sender import StaffEmail, send_notices

# On the page's clock: nobody is to be woken by it.
FROM_HOUR = 8


def remind_owners(now: datetime) -> None:
    for page in Page.objects.order_by("pk"):
        local = now.astimezone(page.zone)
        if local.hour >= FROM_HOUR:
            for person in _late_owners(page, now):
                OverdueNotice.objects.note(page, person.pk, f"{local:%G-W%V}")
    people = User.objects.in_bulk(OverdueNotice.objects.waiting_people())
    for person in people.values():
        send_notices(OverdueNotice.objects.of_person(person.pk), partial(email_of, person=person, now=now), [person])


def items_of(person: User, items: Iterable[ActionItem]) -> list[ActionItem]:
    """Those whose owner is written as the person's name or address."""
    names = {name.strip().casefold() for name in (person.name, person.email) if name.strip()}
    return [item for item in items if item.owner.strip().casefold() in names]


def email_of(notice: OverdueNotice, *, person: User, now: datetime) -> StaffEmail | None:
    """As things are now; None if nothing is overdue any more, or the person wants no such mail."""
    page = notice.page
    items = items_of(person, _overdue(page, now)) if person.is_active and person.wants_overdue else []
    if not items:
        return None
    told = [
        (item, absolute_url(page, console_url(page, "postmortem", item.postmortem.incident.public_id)))
        for item in items
    ]
    context = {"page": page, "items": told, "account_url": absolute_url(page, console_url(page, "account"))}
    text = render_to_string("notifications/email/staff_overdue_action_items.txt", context)
    subject = "An action item is overdue" if len(items) == 1 else f"{len(items)} action items are overdue"
    return StaffEmail(page, subject, text.strip() + "\n", f"overdue:{page.public_id}:{notice.week}", "overdue")


def _late_owners(page: Page, now: datetime) -> Iterator[User]:
    items = _overdue(page, now)
    if items:
        yield from (person for person in User.objects.to_tell_of_overdue() if items_of(person, items))


def _overdue(page: Page, now: datetime) -> list[ActionItem]:
    return list(ActionItem.objects.overdue(page, today=now.astimezone(page.zone).date()))
