"""Queue the notices about incidents without an update and about unrestored components, and write their emails."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.template.loader import render_to_string

from incidents.models import Component, Draft, Incident, Page
from incidents.reminders.overdue_updates import (
    MOST_TIMES,
    OverdueUpdate,
    Reminders,
    last_update,
    overdue_update_of,
    resolving_update,
)
from incidents.reminders.unrestored_components import unrestored_components, unrestored_components_of
from incidents.text.wording import affected_sentence, duration_text, moment_with_utc
from statuspage.accounts.models import User
from statuspage.common.urls import absolute_url, console_url
from statuspage.notifications.messages.staff_email import StaffEmail
from statuspage.notifications.models.staff_notices import StaffNotice, StaffNoticeKind


def queue_due(now: datetime) -> None:
    people = people_to_remind()
    _queue_overdue_updates(now, people)
    _queue_unrestored_components(now, people)


def people_to_remind() -> list[User]:
    return list(User.objects.to_remind())


def _queue_overdue_updates(now: datetime, people: list[User]) -> None:
    """Only the latest reminder that is due: after an outage of the dispatcher nobody is reminded twice at once."""
    for incident in Incident.objects.incidents().unresolved().with_details().select_related("page"):
        reminders = Reminders.read(incident.page.staff_reminders)
        silence = overdue_update_of(incident, now=now, reminders=reminders)
        if silence and reminders.by_mail:
            StaffNotice.objects.remind_after(
                silence.after, StaffNoticeKind.OVERDUE_UPDATE, number=silence.times, people=people
            )


def _queue_unrestored_components(now: datetime, people: list[User]) -> None:
    for page in Page.objects.order_by("pk"):
        reminders = Reminders.read(page.staff_reminders)
        if not reminders.still_red or not reminders.by_mail:
            continue
        for leftover in unrestored_components(page, now=now):
            after = resolving_update(leftover.incident)
            # A resolve can be backdated: they have so long from when it was written.
            if after and now - after.created_at >= timedelta(minutes=reminders.still_red):
                StaffNotice.objects.remind_after(after, StaffNoticeKind.UNRESTORED_COMPONENTS, people=people)


def email_of(notice: StaffNotice, now: datetime) -> StaffEmail | None:
    """The email with the current facts. None if it is no longer true, or a later reminder replaces it."""
    incident = Incident.objects.with_details().select_related("page").filter(pk__in=[notice.incident_id]).get()
    is_over = notice.kind == StaffNoticeKind.UNRESTORED_COMPONENTS
    after = (resolving_update if is_over else last_update)(incident)
    reminders = Reminders.read(incident.page.staff_reminders)
    if after is None or after.pk != notice.after_id or not reminders.by_mail:
        return None
    if is_over:
        red = unrestored_components_of(incident, incident.affected_components(), now=now) if reminders.still_red else []
        return _unrestored_components_email(incident, red) if red else None
    silence = overdue_update_of(incident, now=now, reminders=reminders)
    if silence is None or silence.times != notice.number:
        return None
    return _overdue_update_email(incident, silence)


def _overdue_update_email(incident: Incident, silence: OverdueUpdate) -> StaffEmail:
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
    return _build_email("staff_overdue_update", subject, incident, context)


def _unrestored_components_email(incident: Incident, red: list[Component]) -> StaffEmail:
    subject = f"Still not operational: {', '.join(component.name for component in red)}"
    return _build_email("staff_unrestored_components", subject, incident, {"red": red})


def _build_email(name: str, subject: str, incident: Incident, context: dict[str, Any]) -> StaffEmail:
    page = incident.page
    links = {
        "incident_url": absolute_url(page, console_url(page, "incident", incident.public_id)),
        "components_url": f"{absolute_url(page, console_url(page, 'dashboard'))}#components-title",
        "account_url": absolute_url(page, console_url(page, "account")),
    }
    text = render_to_string(f"notifications/email/{name}.txt", {"page": page, "incident": incident, **links, **context})
    return StaffEmail(page, subject, text.strip() + "\n", thread=incident.public_id)
