"""What every action on a timeline shares: the update, the step that it makes, its event. Bad steps are refused here."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions.components import status_history
from incidents.actor import Actor
from incidents.errors import EditConflict
from incidents.models import AffectedComponent, Component, EventKind, Incident, IncidentUpdate
from incidents.models.states import ENDED, RUNNING, UPCOMING, Status
from incidents.status import impact_of, worst_impact
from incidents.text.time_shorthand import Clock, clock_of, has_shorthand

Statuses = Mapping[Component, str]

# The same verbs, said of a maintenance.
_OF_MAINTENANCE = {
    EventKind.INCIDENT_UPDATED: EventKind.MAINTENANCE_UPDATED,
    EventKind.INCIDENT_RESOLVED: EventKind.MAINTENANCE_COMPLETED,
}


def post(
    incident: Incident,
    kind: EventKind,
    *,
    status: str,
    body: str | Callable[[], str],
    actor: Actor,
    notify: bool,
    components: Statuses | Callable[[datetime], Statuses] | None = None,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
    changes: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    after_the_end: bool = False,
) -> IncidentUpdate:
    """Lock the incident, add the update, move it, record the event: one transaction.

    `body` and `components` may be functions: they are called under the lock, when the step is known to be possible, and
    may refuse it; the latter gets the time of the update. `changes` are further fields of the incident, `details` go
    into the audit log. `after_the_end`: of what is over, and stays so.
    """
    text = None if callable(body) else checks.body(body)
    try:
        with transaction.atomic():
            take_version(incident, expected_version)
            kind = _OF_MAINTENANCE.get(kind, kind) if incident.is_maintenance else kind
            if after_the_end:
                _check_it_is_over(incident, status)
            else:
                _check_step(incident, kind, checks.status(status, incident.kind))
            at = checks.moment(at, not_before=incident.last_update_at)
            update = add_update(
                incident,
                status=status,
                text=_read(body() if callable(body) else body, text, clock_of(incident, status=status, at=at)),
                components=components(at) if callable(components) else components,
                notify=notify,
                at=at,
                submission_key=submission_key,
                changes=changes,
            )
            record(
                incident.page,
                kind,
                incident,
                actor=actor,
                notify=notify,
                details=update_details(update, **details or {}),
                incident=incident,
                update=update,
            )
    except (EditConflict, IntegrityError, ValidationError):
        earlier = incident.updates.filter(submission_key=submission_key).first() if submission_key else None
        if earlier is None:
            raise
        return earlier
    return update


def _read(body: str, text: tuple[str, str] | None, clock: Clock) -> tuple[str, str]:
    """`text` is what it was before its time was known: enough, if it names no time itself."""
    return checks.body(body, clock=clock) if text is None or has_shorthand(body) else text


def add_update(
    incident: Incident,
    *,
    status: str,
    text: tuple[str, str],
    components: Statuses | None,
    notify: bool,
    at: datetime,
    submission_key: str = "",
    changes: Mapping[str, Any] | None = None,
) -> IncidentUpdate:
    """The update and what it does to components and incident. The caller holds the lock and records the event."""
    previous = incident.updates.newest_first().first()
    update = IncidentUpdate.objects.create(
        incident=incident,
        status=status,
        repeats_status=previous is not None and previous.status == status,
        body=text[0],
        body_html=text[1],
        display_at=at,
        notify=notify,
        submission_key=submission_key or None,
    )
    touched = checks.components(incident.page, components or {})
    AffectedComponent.objects.bulk_create(
        AffectedComponent(
            update=update,
            component=component,
            old_status=status_history.record_status(component, new, at=at, update=update),
            new_status=new,
        )
        for component, new in touched.items()
    )
    if incident.is_maintenance and previous:
        incident.calendar_sequence += 1
    _move(incident, status=status, at=at, touched=touched, changes=changes or {})
    return update


def update_details(update: IncidentUpdate, **more: Any) -> dict[str, Any]:
    """What the audit log keeps of an update."""
    changes = {
        row.component.full_name: [row.old_status, row.new_status]
        for row in update.affected.select_related("component__group")
    }
    return {
        "status": update.status,
        "body": update.body,
        "display_at": update.display_at.isoformat(),
        "components": changes,
        **more,
    }


def _check_it_is_over(incident: Incident, status: str) -> None:
    if not incident.is_resolved or status != incident.status:
        raise ValidationError({"status": "This incident is open again. Post an ordinary update."})
    if incident.hidden_at:
        raise ValidationError({"status": "Visitors do not see this incident any more."})


def _check_step(incident: Incident, kind: EventKind, status: str) -> None:
    """Read under the lock: of two people who resolve at once, the second must hear of it."""
    if incident.is_maintenance:
        _check_maintenance_step(incident, kind, status)
        return
    if kind == EventKind.INCIDENT_REOPENED and not incident.is_resolved:
        raise ValidationError({"status": "This incident is not resolved, so it cannot be reopened."})
    if kind != EventKind.INCIDENT_REOPENED and incident.is_resolved:
        raise ValidationError({"status": "This incident is resolved. Reopen it to post an update."})


def _check_maintenance_step(maintenance: Incident, kind: EventKind, status: str) -> None:
    if maintenance.is_resolved:
        over = "was cancelled" if maintenance.cancelled_at else "is completed"
        raise ValidationError({"status": f"This maintenance {over}. Schedule a new one."})
    if kind == EventKind.MAINTENANCE_STARTED and not maintenance.is_upcoming:
        raise ValidationError({"status": "This maintenance has already begun."})
    if status in UPCOMING and not maintenance.is_upcoming:
        raise ValidationError({"status": "This maintenance has already begun, so it is not “scheduled” any more."})
    if kind == EventKind.MAINTENANCE_UPDATED and status in RUNNING and maintenance.is_upcoming:
        raise ValidationError({"status": "This maintenance has not begun. Start it first."})
    if kind == EventKind.MAINTENANCE_COMPLETED and maintenance.is_upcoming:
        raise ValidationError({"status": "This maintenance has not begun. Cancel it if it will not take place."})


def _move(incident: Incident, *, status: str, at: datetime, touched: Statuses, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(incident, name, value)
    if incident.is_maintenance:
        if status in RUNNING and incident.began_at is None:
            incident.began_at = at
    else:
        incident.impact = incident.impact_override or worst_impact([incident.impact, impact_of(touched.values())])
    incident.status = status
    incident.last_update_at = at
    if status == Status.MONITORING and incident.monitoring_at is None:
        incident.monitoring_at = at
    # What is written after the end, of what was done since, does not move it.
    incident.resolved_at = (incident.resolved_at or at) if status in ENDED else None
    incident.updated_at = timezone.now()
    moved = ("status", "last_update_at", "began_at", "monitoring_at", "resolved_at", "impact", "updated_at")
    incident.save(update_fields=[*moved, "calendar_sequence", *changes])
