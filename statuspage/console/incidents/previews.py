"""Previews of an unpublished update as page, email and webhook, without writing to the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from incidents import clock
from incidents.models import AffectedComponent, Component, DraftStep, Event, EventKind, Incident, IncidentUpdate, Page
from incidents.models.draft_content import DraftContent
from incidents.models.states import ComponentStatus, Impact, Kind, Status
from incidents.status import impact_of
from incidents.text import markdown
from incidents.text.time_shorthand import Clock
from statuspage.notifications.messages.email import EmailTemplate, notification_email
from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.messages.webhook import webhook_payload

TABS = {"page": "Page", "mail": "Email", "webhook": "Webhook JSON"}
# A placeholder for the primary key of the update, higher than any existing one.
_NEXT = 2**62
_KINDS = {
    DraftStep.DECLARE: EventKind.INCIDENT_OPENED,
    DraftStep.UPDATE: EventKind.INCIDENT_UPDATED,
    DraftStep.RESOLVE: EventKind.INCIDENT_RESOLVED,
    DraftStep.REOPEN: EventKind.INCIDENT_REOPENED,
    DraftStep.FOLLOW_UP: EventKind.INCIDENT_UPDATED,
}


@dataclass(frozen=True)
class PreviewInput:
    """The current values of a form. `statuses` maps public ids of components to their new status."""

    step: str
    body: str
    title: str = ""
    status: str = ""
    impact: str = ""
    statuses: Mapping[str, str] | None = None


def of_content(content: DraftContent) -> PreviewInput:
    """Return the input of a submitted draft."""
    values = {name: getattr(content, name, "") for name in ("title", "status", "impact")}
    statuses = getattr(content, "components", None) or getattr(content, "restore", None)
    return PreviewInput(content.step, content.body, statuses=statuses, **values)


def notification_of(preview: PreviewInput, page: Page, incident: Incident | None) -> Notification:
    """Return the notification that publishing would create. Raise ValidationError if the text cannot be published."""
    now, step = clock.now(), DraftStep(preview.step)
    incident = incident or _incident(preview, page)
    written = list(incident.updates.all()) if incident.pk != _NEXT else []
    status = _status(preview, incident)
    update = IncidentUpdate(
        pk=_NEXT,
        incident=incident,
        status=status,
        repeats_status=bool(written) and written[0].status == status,
        body=preview.body,
        body_html=markdown.render(preview.body, clock=Clock(page.zone, now)),
        display_at=now,
    )
    statuses = preview.statuses or {}
    touched = page.components.active().with_public_ids(list(statuses)).select_related("group") if statuses else []
    _prefetched(update)["affected"] = [
        _affected(update, component, statuses[component.public_id]) for component in touched
    ]
    _prefetched(incident)["updates"] = [update, *written]
    incident.status = status
    kind = EventKind.MAINTENANCE_UPDATED if incident.is_maintenance else _KINDS[step]
    event = Event(pk=_NEXT, page=page, kind=kind, incident=incident, update=update, notify=True, created_at=now)
    return Notification(event=event, page=page, incident=incident, update=update)


def email_of(notification: Notification) -> EmailTemplate:
    """Return the email in the time zone of the page, as a subscriber without a time zone receives it."""
    return notification_email(notification, zone=notification.page.zone)


def email_text(email: EmailTemplate) -> str:
    text = email.text
    for name, gap in email.gaps.items():
        text = text.replace(gap, f"(each subscriber's own {name} link)")
    return text


def webhook_text(notification: Notification) -> str:
    return json.dumps(
        webhook_payload(notification, unsubscribe="(each endpoint's own link)"), indent=2, ensure_ascii=False
    )


def _incident(preview: PreviewInput, page: Page) -> Incident:
    now = clock.now()
    worst = impact_of((preview.statuses or {}).values())
    return Incident(
        pk=_NEXT,
        page=page,
        kind=Kind.INCIDENT,
        title=preview.title.strip() or "(no title yet)",
        status=preview.status or Status.INVESTIGATING,
        impact=preview.impact if preview.impact in Impact.values else worst,
        started_at=now,
        last_update_at=now,
    )


def _status(preview: PreviewInput, incident: Incident) -> str:
    if preview.step == DraftStep.RESOLVE:
        return Status.COMPLETED if incident.is_maintenance else Status.RESOLVED
    if preview.status and preview.status not in Status.values:
        raise ValidationError({"status": f"“{preview.status}” is not a status."})
    return preview.status or incident.status


def _affected(update: IncidentUpdate, component: Component, new: str) -> AffectedComponent:
    status = new if new in ComponentStatus.values else component.status
    return AffectedComponent(update=update, component=component, old_status=component.status, new_status=status)


def _prefetched(row: Incident | IncidentUpdate) -> dict[str, Any]:
    """Return Django's prefetch cache of an unsaved row, so that it can have related rows."""
    cache: dict[str, Any] = row.__dict__.setdefault("_prefetched_objects_cache", {})
    return cache
