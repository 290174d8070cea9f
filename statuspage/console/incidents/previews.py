"""What would be published, as each of its readers would get it: from a form, with nothing written to the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.models import AffectedComponent, Component, DraftStep, Event, EventKind, Incident, IncidentUpdate, Page
from incidents.models.draft_content import DraftContent
from incidents.models.states import ComponentStatus, Impact, Kind, Status
from incidents.status import impact_of
from incidents.text import markdown
from incidents.text.time_shorthand import Clock
from statuspage.notifications.messages.email import EmailTemplate, notification_email
from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.messages.webhook import webhook_payload

TABS = {"page": "Page", "mail": "E-mail", "webhook": "Webhook JSON"}
# Stands for the primary key that the update will get: higher than any there is.
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
    """What a form says now. `statuses`: public ids of components and the status that each would get."""

    step: str
    body: str
    title: str = ""
    status: str = ""
    impact: str = ""
    statuses: Mapping[str, str] | None = None


def of_content(content: DraftContent) -> PreviewInput:
    """The same for a submitted draft."""
    raw = content.as_json()
    named = {name: raw.get(name, "") for name in ("title", "status", "impact")}
    return PreviewInput(content.step, content.body, statuses=raw.get("components") or raw.get("restore"), **named)


def notification_of(unsent: PreviewInput, page: Page, incident: Incident | None) -> Notification:
    """The news that it would be. ValidationError if the text cannot be published as it is."""
    now, step = timezone.now(), DraftStep(unsent.step)
    incident = incident or _incident(unsent, page)
    written = list(incident.updates.all()) if incident.pk != _NEXT else []
    status = _status(unsent, incident)
    update = IncidentUpdate(
        pk=_NEXT,
        incident=incident,
        status=status,
        repeats_status=bool(written) and written[0].status == status,
        body=unsent.body,
        body_html=markdown.render(unsent.body, clock=Clock(page.zone, now)),
        display_at=now,
    )
    statuses = unsent.statuses or {}
    touched = page.components.active().with_public_ids(list(statuses)).select_related("group") if statuses else []
    _prefetched(update)["affected"] = [_affected(update, one, statuses[one.public_id]) for one in touched]
    _prefetched(incident)["updates"] = [update, *written]
    incident.status = status
    kind = EventKind.MAINTENANCE_UPDATED if incident.is_maintenance else _KINDS[step]
    event = Event(pk=_NEXT, page=page, kind=kind, incident=incident, update=update, notify=True, created_at=now)
    return Notification(event=event, page=page, incident=incident, update=update)


def mail_of(notification: Notification) -> EmailTemplate:
    """In the page's zone, as a reader without one of their own gets it."""
    return notification_email(notification, zone=notification.page.zone)


def mail_text(email: EmailTemplate) -> str:
    text = email.text
    for name, gap in email.gaps.items():
        text = text.replace(gap, f"(each reader's own {name} link)")
    return text


def webhook_text(notification: Notification) -> str:
    return json.dumps(
        webhook_payload(notification, unsubscribe="(each endpoint's own link)"), indent=2, ensure_ascii=False
    )


def _incident(unsent: PreviewInput, page: Page) -> Incident:
    now = timezone.now()
    worst = impact_of((unsent.statuses or {}).values())
    return Incident(
        pk=_NEXT,
        page=page,
        kind=Kind.INCIDENT,
        title=unsent.title.strip() or "(no title yet)",
        status=unsent.status or Status.INVESTIGATING,
        impact=unsent.impact if unsent.impact in Impact.values else worst,
        started_at=now,
        last_update_at=now,
    )


def _status(unsent: PreviewInput, incident: Incident) -> str:
    if unsent.step == DraftStep.RESOLVE:
        return Status.COMPLETED if incident.is_maintenance else Status.RESOLVED
    if unsent.status and unsent.status not in Status.values:
        raise ValidationError({"status": f"“{unsent.status}” is not a status."})
    return unsent.status or incident.status


def _affected(update: IncidentUpdate, component: Component, new: str) -> AffectedComponent:
    status = new if new in ComponentStatus.values else component.status
    return AffectedComponent(update=update, component=component, old_status=component.status, new_status=status)


def _prefetched(row: Incident | IncidentUpdate) -> dict[str, Any]:
    """What Django takes for already read, so that a row which is not there can have others."""
    cache: dict[str, Any] = row.__dict__.setdefault("_prefetched_objects_cache", {})
    return cache
