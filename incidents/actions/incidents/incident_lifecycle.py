from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions._updates import Statuses, add_update, post, update_details
from incidents.actor import Actor
from incidents.models import AffectedComponent, Component, EventKind, Incident, IncidentUpdate, Page, Revision
from incidents.models.states import ENDED, ComponentStatus, Kind, Status
from incidents.text import markdown
from incidents.text.time_shorthand import Clock, clock_of


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
    status = checks.status(status, Kind.INCIDENT)
    at = checks.moment(at)
    text = checks.body(body, clock=Clock(page.zone, at))
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
            update = add_update(incident, status=status, text=text, components=components, notify=notify, at=at)
            record(
                page,
                EventKind.INCIDENT_OPENED,
                incident,
                actor=actor,
                notify=notify,
                details=update_details(update, title=title),
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

    To end an incident use `resolve`, which asks what becomes of its components; to take one up again, `reopen`. A
    maintenance has its own verbs for its steps (`maintenances.start`, `cancel` and the like).
    """
    if status in ENDED:
        raise ValidationError({"status": "Resolving asks what becomes of the components: use resolve."})
    return post(
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
    return post(
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
    if incident.is_maintenance:
        raise ValidationError({"status": "A maintenance is not reopened. Schedule a new one."})
    if status in ENDED:
        raise ValidationError({"status": "A reopened incident is not resolved."})
    return post(
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

    One that another unresolved incident also names keeps its status. One that a running maintenance names goes back
    into its hands: under maintenance, if that maintenance sets its components.
    """
    troubled = Component.objects.active().named_by(incident).troubled().in_page_order()
    others = incident.page.incidents.exclude(pk=incident.pk)
    held = AffectedComponent.objects.holders(others.unresolved() | others.running())
    in_trouble = {pk for pk, kind, _ in held if kind == Kind.INCIDENT}
    maintained = {pk for pk, kind, _ in held if kind == Kind.MAINTENANCE}
    setting = {pk for pk, kind, sets in held if kind == Kind.MAINTENANCE and sets}

    def becomes(component: Component) -> ComponentStatus:
        status = ComponentStatus(component.status)
        works_on_it = status == ComponentStatus.UNDER_MAINTENANCE or incident.is_maintenance
        if component.pk in in_trouble or (component.pk in maintained and works_on_it):
            return status
        return ComponentStatus.UNDER_MAINTENANCE if component.pk in setting else ComponentStatus.OPERATIONAL

    return {component: becomes(component) for component in troubled}


@transaction.atomic
def edit_update(
    update: IncidentUpdate, *, body: str, actor: Actor, expected_version: int | None = None
) -> IncidentUpdate:
    """Change the text of a published update. The old text stays as a Revision, which the public page shows."""
    text, html = checks.body(body, clock=clock_of(update.incident, status=update.status, at=update.display_at))
    if text == update.body:
        return update
    take_version(update, expected_version)
    Revision.objects.create(
        update=update, body=update.body, change_html=markdown.change_html(update.body, text), actor_label=actor.label
    )
    old, update.body, update.body_html, update.edited_at = update.body, text, html, timezone.now()
    update.save(update_fields=["body", "body_html", "edited_at"])
    incident = update.incident
    Incident.objects.filter(pk=incident.pk).update(
        updated_at=timezone.now(), calendar_sequence=F("calendar_sequence") + int(incident.is_maintenance)
    )
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
