from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from incidents import markup
from incidents.actions import checks, timeline
from incidents.actions.recording import record, take_version
from incidents.actor import Actor
from incidents.errors import EditConflict
from incidents.models import AffectedComponent, Component, EventKind, Incident, IncidentUpdate, Page, Revision
from incidents.models.states import ENDED, ComponentStatus, Kind, Status
from incidents.status import impact_of, worst_impact

Statuses = Mapping[Component, str]


def open_incident(
    page: Page,
    *,
    title: str,
    body: str,
    actor: Actor,
    status: str = Status.INVESTIGATING,
    impact: str | None = None,
    components: Statuses | None = None,
    notify: bool = True,
    at: datetime | None = None,
    submission_key: str = "",
) -> Incident:
    """Declare an incident with its first update.

    `impact` None derives it from the worst component. `at` backdates it. The same `submission_key` again returns the
    incident that the first submit made.
    """
    title = checks.title(title)
    text = checks.body(body)
    status = checks.status(status, Kind.INCIDENT)
    at = checks.moment(at)
    try:
        with transaction.atomic():
            incident = Incident.objects.create(
                page=page,
                title=title,
                status=status,
                impact_override=checks.impact(impact),
                started_at=at,
                last_update_at=at,
                submission_key=submission_key or None,
            )
            update = _add_update(incident, status=status, text=text, components=components, notify=notify, at=at)
            record(
                page,
                EventKind.INCIDENT_OPENED,
                incident,
                actor=actor,
                notify=notify,
                details=_details(update, title=title),
                incident=incident,
                update=update,
            )
    except IntegrityError:
        if not submission_key:
            raise
        return Incident.objects.get(submission_key=submission_key)
    return incident


def post_update(
    incident: Incident,
    *,
    status: str,
    body: str,
    actor: Actor,
    components: Statuses | None = None,
    notify: bool = True,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """Add an update, move the incident to `status`, and record the event that tells whoever should know.

    To end an incident use `resolve`, which asks what becomes of its components; to take one up again, `reopen`.
    """
    if status in ENDED:
        raise ValidationError({"status": "Resolving asks what becomes of the components: use resolve."})
    return _post(
        incident,
        EventKind.INCIDENT_UPDATED,
        status=status,
        body=body,
        actor=actor,
        components=components,
        notify=notify,
        at=at,
        expected_version=expected_version,
        submission_key=submission_key,
    )


def resolve(
    incident: Incident,
    *,
    body: str,
    restore: Mapping[Component, str] | None,
    actor: Actor,
    notify: bool = True,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """End the incident. `restore` says what its components are now; None leaves them as they are, which the caller
    must say: a component is never left red by silence."""
    return _post(
        incident,
        EventKind.INCIDENT_RESOLVED,
        status=Status.RESOLVED if incident.kind == Kind.INCIDENT else Status.COMPLETED,
        body=body,
        actor=actor,
        components=restore,
        notify=notify,
        at=at,
        expected_version=expected_version,
        submission_key=submission_key,
    )


def reopen(
    incident: Incident,
    *,
    body: str,
    actor: Actor,
    status: str = Status.INVESTIGATING,
    components: Statuses | None = None,
    notify: bool = True,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """Take up a resolved incident again. Its resolution time is cleared; the update that resolved it stays."""
    if status in ENDED:
        raise ValidationError({"status": "A reopened incident is not resolved."})
    return _post(
        incident,
        EventKind.INCIDENT_REOPENED,
        status=status,
        body=body,
        actor=actor,
        components=components,
        notify=notify,
        at=at,
        expected_version=expected_version,
        submission_key=submission_key,
    )


def restorable_components(incident: Incident) -> dict[Component, ComponentStatus]:
    """What to offer on resolving: each of its components that is not operational, and what it should become.

    A component that another unresolved incident also names keeps its status.
    """
    troubled = Component.objects.active().named_by(incident).troubled().in_page_order()
    held = set(Component.objects.held_by_others(incident).values_list("pk", flat=True))
    return {c: ComponentStatus(c.status) if c.pk in held else ComponentStatus.OPERATIONAL for c in troubled}


@transaction.atomic
def edit_update(
    update: IncidentUpdate, *, body: str, actor: Actor, expected_version: int | None = None
) -> IncidentUpdate:
    """Change the text of a published update. The old text stays as a Revision, which the public page shows."""
    text, html = checks.body(body)
    if text == update.body:
        return update
    take_version(update, expected_version)
    Revision.objects.create(
        update=update, body=update.body, change_html=markup.change_html(update.body, text), actor_label=actor.label
    )
    old, update.body, update.body_html, update.edited_at = update.body, text, html, timezone.now()
    update.save(update_fields=["body", "body_html", "edited_at"])
    incident = update.incident
    Incident.objects.filter(pk=incident.pk).update(updated_at=timezone.now())
    details = {"old": old, "new": text}
    record(
        incident.page, EventKind.UPDATE_EDITED, update, actor=actor, details=details, incident=incident, update=update
    )
    return update


@transaction.atomic
def hide(incident: Incident, *, actor: Actor, reason: str) -> None:
    """Take an incident off every public page, feed and queue of mails. It stays in the console and in the audit log."""
    reason = checks.line(reason, field="reason", what="The reason")
    take_version(incident, None)
    incident.hidden_at = timezone.now()
    incident.save(update_fields=["hidden_at"])
    record(
        incident.page, EventKind.INCIDENT_HIDDEN, incident, actor=actor, details={"reason": reason}, incident=incident
    )


def _post(
    incident: Incident,
    kind: EventKind,
    *,
    status: str,
    body: str,
    actor: Actor,
    components: Statuses | None,
    notify: bool,
    at: datetime | None,
    expected_version: int | None,
    submission_key: str,
) -> IncidentUpdate:
    text = checks.body(body)
    try:
        with transaction.atomic():
            take_version(incident, expected_version)
            _check_step(incident, kind)
            update = _add_update(
                incident,
                status=checks.status(status, incident.kind),
                text=text,
                components=components,
                notify=notify,
                at=checks.moment(at, not_before=incident.last_update_at),
                submission_key=submission_key,
            )
            record(
                incident.page,
                kind,
                incident,
                actor=actor,
                notify=notify,
                details=_details(update),
                incident=incident,
                update=update,
            )
    except (EditConflict, IntegrityError, ValidationError):
        earlier = incident.updates.filter(submission_key=submission_key).first() if submission_key else None
        if earlier is None:
            raise
        return earlier
    return update


def _check_step(incident: Incident, kind: EventKind) -> None:
    """Read under the lock: of two people who resolve at once, the second must hear of it."""
    if kind == EventKind.INCIDENT_REOPENED and not incident.is_resolved:
        raise ValidationError({"status": "This incident is not resolved, so it cannot be reopened."})
    if kind != EventKind.INCIDENT_REOPENED and incident.is_resolved:
        raise ValidationError({"status": "This incident is resolved. Reopen it to post an update."})


def _add_update(
    incident: Incident,
    *,
    status: str,
    text: tuple[str, str],
    components: Statuses | None,
    notify: bool,
    at: datetime,
    submission_key: str = "",
) -> IncidentUpdate:
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
            old_status=timeline.record_status(component, new, at=at, update=update),
            new_status=new,
        )
        for component, new in touched.items()
    )
    _move(incident, status=status, at=at, touched=touched)
    return update


def _move(incident: Incident, *, status: str, at: datetime, touched: Statuses) -> None:
    incident.status = status
    incident.last_update_at = at
    if status == Status.MONITORING and incident.monitoring_at is None:
        incident.monitoring_at = at
    incident.resolved_at = at if status in ENDED else None
    incident.impact = incident.impact_override or worst_impact([incident.impact, impact_of(touched.values())])
    incident.updated_at = timezone.now()
    incident.save(update_fields=["status", "last_update_at", "monitoring_at", "resolved_at", "impact", "updated_at"])


def _details(update: IncidentUpdate, **more: str) -> dict[str, Any]:
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
