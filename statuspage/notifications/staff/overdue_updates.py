"""The round that reminds staff: of incidents without an update, and of components that are red after a resolve."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.template.loader import render_to_string

from incidents.models import Component, Draft, Incident, Page
from incidents.reminders.overdue_updates import (
    MOST_TIMES,
    OverdueUpdate,
    Reminders,
    last_end,
    last_word,
    overdue_update_of,
)
from incidents.reminders.unrestored_components import unrestored_components, unrestored_components_of
from incidents.text.wording import affected_sentence, duration_text, moment_with_utc
from statuspage.accounts.models import User
from statuspage.common.urls import absolute_url, console_url
from statuspage.notifications.models import ReminderKind, StaffReminder
from statuspage.notifications.staff.sender import StaffEmail, send_notices


def remind_staff(now: datetime) -> None:
    StaffReminder.objects.note([*_silent(now), *_still_red(now)])
    send_notices(StaffReminder.objects.all(), lambda reminder: email_of(reminder, now), User.objects.to_remind())


def _silent(now: datetime) -> Iterator[StaffReminder]:
    """Only the last that is due: who was not reminded in time is not reminded twice at once."""
    for incident in Incident.objects.incidents().unresolved().with_details().select_related("page"):
        reminders = Reminders.read(incident.page.staff_reminders)
        silence = overdue_update_of(incident, now=now, reminders=reminders)
        if silence and reminders.by_mail:
            yield StaffReminder(incident=incident, kind=ReminderKind.SILENT, after=silence.after, number=silence.times)


def _still_red(now: datetime) -> Iterator[StaffReminder]:
    for page in Page.objects.order_by("pk"):
        reminders = Reminders.read(page.staff_reminders)
        if not reminders.still_red or not reminders.by_mail:
            continue
        for leftover in unrestored_components(page, now=now):
            after = last_end(leftover.incident)
            # A resolve can be backdated: they have so long from when it was written.
            if after and now - after.created_at >= timedelta(minutes=reminders.still_red):
                yield StaffReminder(incident=leftover.incident, kind=ReminderKind.STILL_RED, after=after)


def email_of(reminder: StaffReminder, now: datetime) -> StaffEmail | None:
    """As things are now. None if they are not so any more, or another reminder says it."""
    incident = Incident.objects.with_details().select_related("page").get(pk=reminder.incident_id)
    is_over = reminder.kind == ReminderKind.STILL_RED
    after, reminders = (last_end if is_over else last_word)(incident), Reminders.read(incident.page.staff_reminders)
    if after is None or after.pk != reminder.after_id or not reminders.by_mail:
        return None
    if is_over:
        red = unrestored_components_of(incident, incident.affected_components(), now=now) if reminders.still_red else []
        return _unrestored_components_email(reminder, incident, red) if red else None
    silence = overdue_update_of(incident, now=now, reminders=reminders)
    if silence is None or silence.times != reminder.number:
        return None
    return _overdue_update_email(reminder, incident, silence)


def _overdue_update_email(reminder: StaffReminder, incident: Incident, silence: OverdueUpdate) -> StaffEmail:
    zone = incident.page.zone
    context = {
        "lasted": duration_text(silence.lasted),
        "last": silence.after,
        "last_at": moment_with_utc(silence.after.created_at, zone),
        "affected": affected_sentence(incident.affected_components()),
        "submitted": Draft.objects.about(incident).submitted(),
        "is_last": silence.times == MOST_TIMES and not incident.reminder_intervals,
    }
    subject = f"No update for {context['lasted']}: {incident.title}"
    return _build_email("staff_overdue_update", subject, reminder, incident, context)


def _unrestored_components_email(reminder: StaffReminder, incident: Incident, red: list[Component]) -> StaffEmail:
    subject = f"Still not operational: {', '.join(one.name for one in red)}"
    return _build_email("staff_unrestored_components", subject, reminder, incident, {"red": red})


def _build_email(
    name: str, subject: str, reminder: StaffReminder, incident: Incident, context: dict[str, Any]
) -> StaffEmail:
    page = incident.page
    links = {
        "incident_url": absolute_url(page, console_url(page, "incident", incident.public_id)),
        "components_url": f"{absolute_url(page, console_url(page, 'dashboard'))}#components-title",
        "account_url": absolute_url(page, console_url(page, "account")),
    }
    text = render_to_string(f"notifications/email/{name}.txt", {"page": page, "incident": incident, **links, **context})
    key = f"{reminder.after.public_id}:{reminder.kind}:{reminder.number}"
    return StaffEmail(page, subject, text.strip() + "\n", key, thread=incident.public_id)
