from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from incidents import clock
from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions._updates import add_update, once_per_submission, post_step, update_details
from incidents.actions.update_input import Statuses, UpdateInput
from incidents.actor import Actor
from incidents.models import AffectedComponent, Component, EventKind, Incident, IncidentUpdate, Page, Revision
from incidents.models.states import ENDED, ComponentStatus, Kind, Status
from incidents.plain_text import clock_of
from incidents.text import markdown
from incidents.text.time_shorthand import Clock


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


@once_per_submission
def post_update(incident: Incident, update_input: UpdateInput, *, actor: Actor) -> IncidentUpdate:
    """Add an update and move the incident or maintenance to `update_input.status`.

    Use `resolve` to end an incident and `reopen` to take it up again. A maintenance starts and ends with
    `maintenance_lifecycle.start`, `complete` and `cancel`.
    """
    if update_input.status in ENDED:
        raise ValidationError({"status": "Use resolve to end an incident: it also sets the status of the components."})
    kind = EventKind.MAINTENANCE_UPDATED if incident.is_maintenance else EventKind.INCIDENT_UPDATED
    components = update_input.components
    return post_step(incident, kind, update_input, status=update_input.status, components=components, actor=actor)


@once_per_submission
def resolve(incident: Incident, update_input: UpdateInput, *, restore: Statuses | None, actor: Actor) -> IncidentUpdate:
    """End the incident.

    `restore` sets the status of its components; None leaves them unchanged. It has no default, so that no caller
    leaves a component in an outage by accident.
    """
    kind, status = EventKind.INCIDENT_RESOLVED, Status.RESOLVED
    if incident.is_maintenance:
        kind, status = EventKind.MAINTENANCE_COMPLETED, Status.COMPLETED
    return post_step(incident, kind, update_input, status=status, components=restore, actor=actor)


@once_per_submission
def reopen(incident: Incident, update_input: UpdateInput, *, actor: Actor) -> IncidentUpdate:
    """Take up a resolved incident again, as investigating unless `update_input.status` is set.

    Its resolution time is cleared; the update that resolved it stays.
    """
    if incident.is_maintenance:
        raise ValidationError({"status": "A maintenance cannot be reopened. Schedule a new one."})
    status = update_input.status or Status.INVESTIGATING
    if status in ENDED:
        raise ValidationError({"status": "Choose a status other than resolved to reopen this incident."})
    components = update_input.components
    return post_step(
        incident, EventKind.INCIDENT_REOPENED, update_input, status=status, components=components, actor=actor
    )


def restorable_components(incident: Incident) -> dict[Component, ComponentStatus]:
    """What to offer on resolving: each of its components that is not operational, and what it should become.

    One that another unresolved incident also names keeps its status. One that a running maintenance names goes back
    into its hands: under maintenance, if that maintenance sets its components.
    """
    troubled = Component.objects.active().affected_by(incident).not_operational().in_page_order()
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
    old, update.body, update.body_html, update.edited_at = update.body, text, html, clock.now()
    update.save(update_fields=["body", "body_html", "edited_at"])
    incident = update.incident
    Incident.objects.filter(pk=incident.pk).update(
        updated_at=clock.now(), calendar_sequence=F("calendar_sequence") + int(incident.is_maintenance)
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
    incident.hidden_at = clock.now()
    incident.save(update_fields=["hidden_at"])
    record(
        incident.page, EventKind.INCIDENT_HIDDEN, incident, actor=actor, details={"reason": reason}, incident=incident
    )
