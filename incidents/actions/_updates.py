"""What all actions that post an update share: the checks under the lock, the update itself, and its event.

An action is decorated with `once_per_submission` and then takes three steps: it checks its input, it calls
`lock_for_step` (or `lock_for_follow_up`), and it calls `post` with what it computed under the lock.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from incidents import clock
from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions.components import status_history
from incidents.actions.update_input import NO_INPUT, Statuses, UpdateInput
from incidents.actor import Actor
from incidents.errors import EditConflict
from incidents.models import AffectedComponent, EventKind, Incident, IncidentUpdate
from incidents.models.states import ENDED, RUNNING, UPCOMING, Status
from incidents.plain_text import clock_of
from incidents.status import impact_of, worst_impact
from incidents.text.time_shorthand import has_shorthand

_Action = TypeVar("_Action", bound=Callable[..., IncidentUpdate])


def once_per_submission(action: _Action) -> _Action:
    """Run `action(incident, update_input, …)` in one transaction.

    If it fails and an update with the same submission key exists, that update is returned.
    """

    @wraps(action)
    def wrapped(incident: Incident, update_input: UpdateInput = NO_INPUT, **options: Any) -> IncidentUpdate:
        try:
            with transaction.atomic():
                return action(incident, update_input, **options)
        except (EditConflict, IntegrityError, ValidationError):
            key = update_input.submission_key
            earlier = incident.updates.filter(submission_key=key).first() if key else None
            if earlier is None:
                raise
            return earlier

    return cast(_Action, wrapped)


def lock_for_step(incident: Incident, kind: EventKind, update_input: UpdateInput, *, status: str) -> datetime:
    """Lock the incident, check that it can take the step to `status`, and return the time of the update.

    Raises EditConflict, or ValidationError for the fields status and at.
    """
    take_version(incident, update_input.expected_version)
    _check_step(incident, kind, checks.status(status, incident.kind))
    return checks.moment(update_input.at, not_before=incident.last_update_at)


def lock_for_follow_up(incident: Incident, update_input: UpdateInput, *, status: str) -> datetime:
    """As `lock_for_step`, for an incident that is over and stays in `status`."""
    take_version(incident, update_input.expected_version)
    if not incident.is_resolved or status != incident.status:
        raise ValidationError({"status": "This incident is open again. Post a regular update."})
    if incident.hidden_at:
        raise ValidationError({"status": "This incident was deleted or merged and is no longer public."})
    return checks.moment(update_input.at, not_before=incident.last_update_at)


def post(
    incident: Incident,
    kind: EventKind,
    update_input: UpdateInput,
    *,
    text: tuple[str, str],
    status: str,
    at: datetime,
    notify: bool,
    actor: Actor,
    components: Statuses | None = None,
    changes: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> IncidentUpdate:
    """Add the update, move the locked incident, and record the event.

    text: Markdown and HTML as `checks.body` returns them without a clock; times in it are rendered here.
    changes: further fields of the incident. details: further details for the audit log.
    """
    if has_shorthand(text[0]):
        text = checks.body(text[0], clock=clock_of(incident, status=status, at=at))
    update = add_update(
        incident,
        status=status,
        text=text,
        components=components,
        notify=notify,
        at=at,
        submission_key=update_input.submission_key,
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
    return update


def post_step(
    incident: Incident,
    kind: EventKind,
    update_input: UpdateInput,
    *,
    status: str,
    components: Statuses | None,
    actor: Actor,
) -> IncidentUpdate:
    """Post an update whose text and components do not depend on the state of the incident."""
    text = checks.body(update_input.body)
    at = lock_for_step(incident, kind, update_input, status=status)
    return post(
        incident,
        kind,
        update_input,
        text=text,
        status=status,
        at=at,
        notify=update_input.notifies(),
        actor=actor,
        components=components,
    )


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
    """Create the update and apply it to its components and the incident.

    The caller holds the lock and records the event.
    """
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
    """Return the details of an update for the audit log."""
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


def _check_step(incident: Incident, kind: EventKind, status: str) -> None:
    """Called under the lock, so that the second of two people who resolve at the same time gets the error."""
    if incident.is_maintenance:
        _check_maintenance_step(incident, kind, status)
        return
    if kind == EventKind.INCIDENT_REOPENED and not incident.is_resolved:
        raise ValidationError({"status": "This incident is not resolved, so it cannot be reopened."})
    if kind != EventKind.INCIDENT_REOPENED and incident.is_resolved:
        raise ValidationError({"status": "This incident is resolved. Reopen it to post an update."})


def _check_maintenance_step(maintenance: Incident, kind: EventKind, status: str) -> None:
    if maintenance.is_resolved:
        over = "was canceled" if maintenance.cancelled_at else "is completed"
        raise ValidationError({"status": f"This maintenance {over}. Schedule a new one."})
    if kind == EventKind.MAINTENANCE_STARTED and not maintenance.is_upcoming:
        raise ValidationError({"status": "This maintenance has already begun."})
    if status in UPCOMING and not maintenance.is_upcoming:
        raise ValidationError({"status": "This maintenance has already begun and can no longer be “scheduled”."})
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
    # A follow-up after the end does not change the resolution time.
    incident.resolved_at = (incident.resolved_at or at) if status in ENDED else None
    incident.updated_at = clock.now()
    moved = ("status", "last_update_at", "began_at", "monitoring_at", "resolved_at", "impact", "updated_at")
    incident.save(update_fields=[*moved, "calendar_sequence", *changes])
