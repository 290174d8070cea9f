"""What a request about an incident does: one request may take several actions (docs/api.md)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, time

from django.core.exceptions import ValidationError

from incidents import clock
from incidents.actions.incidents import attributes
from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.maintenances.maintenance_lifecycle import MaintenanceOptions
from incidents.actions.update_input import UpdateInput
from incidents.actor import Actor
from incidents.models import Component, Incident, Page
from incidents.models.maintenances import SWITCHES
from incidents.models.states import MAINTENANCE_STATUSES, RUNNING, Status
from incidents.text import wording
from statuspage.api.lookups import components_by_id
from statuspage.api.v1.incidents.schemas import IncidentIn

# Without these, a Statuspage maintenance starts and ends only by hand.
OFF_BY_DEFAULT = ("auto_start", "auto_complete", "set_components", "restore_components")
NOON = time(12)


@contextmanager
def rename_fields(**names: str) -> Iterator[None]:
    """Rename the fields of a ValidationError to the names of the API: `rename_fields(title="name")`."""
    try:
        yield
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        renamed = {names.get(field, field): messages for field, messages in error.message_dict.items()}
        raise ValidationError(renamed) from None


def create(page: Page, data: IncidentIn, *, actor: Actor) -> Incident:
    """Create a realtime, scheduled or backfilled incident. ValidationError names the field."""
    with rename_fields(**NAMES, at="backfill_date"):
        if data.backfilled or data.backfill_date:
            incident = _backfill(page, data, actor)
        elif data.scheduled_for or data.scheduled_until or data.status in MAINTENANCE_STATUSES:
            incident = _schedule(page, data, actor)
        else:
            incident = _open(page, data, actor)
        return set_attributes(incident, data, actor, title=None)


def _open(page: Page, data: IncidentIn, actor: Actor) -> Incident:
    status = data.status or Status.INVESTIGATING
    return actions.open_incident(
        page,
        title=data.name or "",
        body=data.text or wording.DEFAULT_BODIES[Status(status)],
        status=status,
        impact=data.impact_override,
        components=statuses_of(page, data),
        notify=data.deliver_notifications is not False,
        actor=actor,
    )


def _backfill(page: Page, data: IncidentIn, actor: Actor) -> Incident:
    """Create a past incident. No notification is sent."""
    if data.statuses:
        raise ValidationError({"components": "A backfilled incident cannot have components. Remove them."})
    if data.backfill_date is None:
        raise ValidationError({"backfill_date": "Enter the day of the incident."})
    return actions.open_incident(
        page,
        title=data.name or "",
        body=data.text or wording.DEFAULT_BODIES[Status.RESOLVED],
        status=Status.RESOLVED,
        impact=data.impact_override,
        notify=False,
        at=_backfilled_at(page, data.backfill_date),
        actor=actor,
    )


def _backfilled_at(page: Page, moment: datetime) -> datetime:
    """A date without a time means noon in the page's time zone, or now if that is earlier."""
    if moment.tzinfo:
        return moment
    if moment.time() == time():
        moment = datetime.combine(moment.date(), NOON)
        noon = moment.replace(tzinfo=page.zone)
        return min(noon, clock.now()) if noon.date() == clock.now().astimezone(page.zone).date() else noon
    return moment.replace(tzinfo=page.zone)


def _schedule(page: Page, data: IncidentIn, actor: Actor) -> Incident:
    if data.scheduled_for is None or data.scheduled_until is None:
        missing = "scheduled_for" if data.scheduled_for is None else "scheduled_until"
        raise ValidationError({missing: "Enter a start and an end time for the maintenance."})
    if data.status not in (None, "scheduled"):
        raise ValidationError(
            {"status": "A maintenance starts as “scheduled”. Change the status with a second request."}
        )
    statuses = statuses_of(page, data)
    options = options_of(MaintenanceOptions(**dict.fromkeys(OFF_BY_DEFAULT, False), reminders=()), data)
    return maintenance_lifecycle.schedule(
        page,
        title=data.name or "",
        body=data.text or wording.DEFAULT_BODIES[Status.SCHEDULED],
        scheduled_for=data.scheduled_for,
        scheduled_until=data.scheduled_until,
        components=list(statuses),
        options=options,
        notify=data.deliver_notifications is not False,
        actor=actor,
    )


Statuses = dict[Component, str]
# Statuspage's names of the fields that are validated.
NAMES = {"title": "name", "impact": "impact_override", "reminders": "scheduled_remind_prior"}
# Statuspage's names of a maintenance's automatic transitions.
SWITCH_NAMES = {
    "scheduled_auto_in_progress": "auto_start",
    "scheduled_auto_transition": "auto_start",
    "scheduled_auto_completed": "auto_complete",
    "auto_transition_to_maintenance_state": "set_components",
    "auto_transition_to_operational_state": "restore_components",
    "auto_transition_deliver_notifications_at_start": "notify_start",
    "auto_transition_deliver_notifications_at_end": "notify_end",
}
REMINDER = 60  # minutes before, as at Statuspage


def options_of(before: MaintenanceOptions, data: IncidentIn) -> MaintenanceOptions:
    """Return `before` with the options that were sent. Null changes nothing."""
    switches: dict[str, bool] = {name: getattr(before, name) for name in SWITCHES}
    for key, name in SWITCH_NAMES.items():
        if (value := getattr(data, key)) is not None:
            switches[name] = value
    reminders = before.reminders
    if data.scheduled_remind_prior is not None:
        reminders = (before.reminders or (REMINDER,)) if data.scheduled_remind_prior else ()
    return MaintenanceOptions(**switches, reminders=reminders)


def set_attributes(
    incident: Incident, data: IncidentIn, actor: Actor, *, title: str | None, components: Sequence[Component] = ()
) -> Incident:
    """Set name, impact, metadata and reminders. A null impact is computed from the components again."""
    sent = data.model_fields_set
    return attributes.edit_details(
        incident,
        title=title,
        impact_override=(data.impact_override or "") if "impact_override" in sent else None,
        metadata=data.metadata,
        reminder_intervals=(data.reminder_intervals or "") if "reminder_intervals" in sent else None,
        components=components,
        actor=actor,
    )


def statuses_of(page: Page, data: IncidentIn) -> Statuses:
    """Return the status to set for each component that was sent. An empty status means the current one."""
    statuses = data.statuses
    field = "component_ids" if data.component_ids else "components"
    components = components_by_id(page, statuses, field=field)
    return {component: statuses[component.public_id] or component.status for component in components}


def change(incident: Incident, data: IncidentIn, *, actor: Actor) -> Incident:
    """Change the schedule, post an update if there is one, and set the attributes."""
    with rename_fields(**NAMES):
        statuses = statuses_of(incident.page, data)
        is_posted = incident.is_maintenance and change_schedule(incident, data, statuses, actor)
        if _needs_update(incident, data, statuses, is_posted=is_posted):
            _post(incident, data, statuses, actor)
        incident.refresh_from_db()
        return set_attributes(incident, data, actor, title=data.name, components=list(statuses))


def _needs_update(incident: Incident, data: IncidentIn, statuses: Statuses, *, is_posted: bool) -> bool:
    """Whether to post an update. `is_posted`: the text was posted with the new schedule."""
    if changes_status(incident, data) or (data.text.strip() and not is_posted):
        return True
    return bool(_changed(statuses)) and not incident.is_upcoming


def _post(incident: Incident, data: IncidentIn, statuses: Statuses, actor: Actor) -> None:
    status = data.status or incident.status
    notify = data.deliver_notifications is not False
    update = UpdateInput(body=data.text, status=status, components=statuses or None, notify=notify)
    if incident.is_maintenance:
        post_maintenance_update(incident, update, statuses, actor=actor)
        return
    update = _with_body(update)
    if status == Status.RESOLVED and not incident.is_resolved:
        actions.resolve(incident, update, restore=update.components, actor=actor)
    elif incident.is_resolved and status != Status.RESOLVED:
        actions.reopen(incident, update, actor=actor)
    else:
        _reject_if_resolved(incident)
        actions.post_update(incident, update, actor=actor)


def _with_body(update: UpdateInput) -> UpdateInput:
    """With the standard sentence of its status if it has no text."""
    return update if update.body else replace(update, body=wording.DEFAULT_BODIES[Status(update.status)])


def _reject_if_resolved(incident: Incident) -> None:
    if incident.is_resolved:
        raise ValidationError({"status": "This incident is resolved. Send another status to reopen it."})


def change_schedule(maintenance: Incident, data: IncidentIn, statuses: Statuses, actor: Actor) -> bool:
    """Change window, options and, before the start, components. Return whether the text was posted with them."""
    start, end = maintenance.window
    new_start, new_end = data.scheduled_for or start, data.scheduled_until or end
    is_rescheduled = (new_start, new_end) != (start, end)
    if is_rescheduled:
        maintenance_lifecycle.reschedule(
            maintenance,
            UpdateInput(
                body="" if changes_status(maintenance, data) else data.text,
                notify=data.deliver_notifications is not False,
            ),
            scheduled_for=new_start,
            scheduled_until=new_end,
            actor=actor,
        )
    if not maintenance.is_resolved:
        _change_options(maintenance, data, statuses, actor)
    return is_rescheduled and not changes_status(maintenance, data)


def _change_options(maintenance: Incident, data: IncidentIn, statuses: Statuses, actor: Actor) -> None:
    before = maintenance_lifecycle.options_of(maintenance)
    options = options_of(before, data)
    components = list(statuses) if maintenance.is_upcoming and statuses else None
    is_changed = components is not None and set(components) != set(maintenance.affected_components())
    if options != before or is_changed:
        maintenance_lifecycle.change_options(maintenance, options=options, components=components, actor=actor)


def changes_status(incident: Incident, data: IncidentIn) -> bool:
    return data.status is not None and data.status != incident.status


def post_maintenance_update(maintenance: Incident, update: UpdateInput, statuses: Statuses, *, actor: Actor) -> None:
    """Call the action of the step. A maintenance that is completed before it began is canceled."""
    if update.status == Status.COMPLETED and maintenance.is_upcoming:
        maintenance_lifecycle.cancel(maintenance, update, actor=actor)
    elif update.status == Status.COMPLETED:
        maintenance_lifecycle.complete(maintenance, update, restore=update.components, actor=actor)
    elif update.status in RUNNING and maintenance.is_upcoming:
        _start(maintenance, update, statuses, actor=actor)
    else:
        actions.post_update(maintenance, _with_body(update), actor=actor)


def _start(maintenance: Incident, update: UpdateInput, statuses: Statuses, *, actor: Actor) -> None:
    """Start it as its options say, then set the components that the request names."""
    if update.status == Status.VERIFYING:
        raise ValidationError({"status": "This maintenance has not started. Send “in_progress” first."})
    maintenance_lifecycle.start(maintenance, update, actor=actor)
    changed = _changed(statuses)
    if changed:
        text = wording.DEFAULT_BODIES[Status.IN_PROGRESS]
        further = UpdateInput(status=update.status, body=text, components=changed, notify=False)
        actions.post_update(maintenance, further, actor=actor)


def _changed(statuses: Statuses) -> Statuses:
    return {component: status for component, status in statuses.items() if status != component.status}
