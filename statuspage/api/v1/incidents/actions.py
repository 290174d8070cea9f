"""What a POST of an incident means."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time

from django.core.exceptions import ValidationError
from django.utils import timezone

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
from statuspage.api.errors import rename_fields
from statuspage.api.lookups import components_named
from statuspage.api.v1.incidents.schemas import IncidentIn

# Without these a Statuspage maintenance waits for somebody to move it.
OFF_UNLESS_ASKED = ("auto_start", "auto_complete", "set_components", "restore_components")
NOON = time(12)


def create(page: Page, asked: IncidentIn, *, actor: Actor) -> Incident:
    """A realtime, scheduled or backfilled incident. ValidationError names the field."""
    with rename_fields(**NAMES, at="backfill_date"):
        if asked.backfilled or asked.backfill_date:
            incident = _backfill(page, asked, actor)
        elif asked.scheduled_for or asked.scheduled_until or asked.status in MAINTENANCE_STATUSES:
            incident = _schedule(page, asked, actor)
        else:
            incident = _open(page, asked, actor)
        return mark(incident, asked, actor, title=None)


def _open(page: Page, asked: IncidentIn, actor: Actor) -> Incident:
    status = asked.status or Status.INVESTIGATING
    return actions.open_incident(
        page,
        title=asked.name or "",
        body=asked.text or wording.BY_STATUS[Status(status)],
        status=status,
        impact=asked.impact_override,
        components=statuses_of(page, asked),
        notify=asked.deliver_notifications is not False,
        actor=actor,
    )


def _backfill(page: Page, asked: IncidentIn, actor: Actor) -> Incident:
    """Something that was over before anybody wrote of it. Nobody is told."""
    if asked.statuses:
        raise ValidationError({"components": "A backfilled incident names no components."})
    if asked.backfill_date is None:
        raise ValidationError({"backfill_date": "Say on which day it happened."})
    return actions.open_incident(
        page,
        title=asked.name or "",
        body=asked.text or wording.BY_STATUS[Status.RESOLVED],
        status=Status.RESOLVED,
        impact=asked.impact_override,
        notify=False,
        at=_backfilled_at(page, asked.backfill_date),
        actor=actor,
    )


def _backfilled_at(page: Page, moment: datetime) -> datetime:
    """A bare day is its noon on the page's clock, or now if that is earlier."""
    if moment.tzinfo:
        return moment
    if moment.time() == time():
        moment = datetime.combine(moment.date(), NOON)
        noon = moment.replace(tzinfo=page.zone)
        return min(noon, timezone.now()) if noon.date() == timezone.now().astimezone(page.zone).date() else noon
    return moment.replace(tzinfo=page.zone)


def _schedule(page: Page, asked: IncidentIn, actor: Actor) -> Incident:
    if asked.scheduled_for is None or asked.scheduled_until is None:
        missing = "scheduled_for" if asked.scheduled_for is None else "scheduled_until"
        raise ValidationError({missing: "A maintenance needs a start and an end."})
    if asked.status not in (None, "scheduled"):
        raise ValidationError({"status": "A maintenance begins as “scheduled”. Move it on with a second request."})
    statuses = statuses_of(page, asked)
    options = options_of(MaintenanceOptions(**dict.fromkeys(OFF_UNLESS_ASKED, False), reminders=()), asked)
    return maintenance_lifecycle.schedule(
        page,
        title=asked.name or "",
        body=asked.text or wording.BY_STATUS[Status.SCHEDULED],
        scheduled_for=asked.scheduled_for,
        scheduled_until=asked.scheduled_until,
        components=list(statuses),
        options=options,
        notify=asked.deliver_notifications is not False,
        actor=actor,
    )


Statuses = dict[Component, str]
# Statuspage's names of what is to be checked.
NAMES = {"title": "name", "impact": "impact_override", "reminders": "scheduled_remind_prior"}
# Statuspage's names of what happens by itself around a maintenance.
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


def options_of(before: MaintenanceOptions, asked: IncidentIn) -> MaintenanceOptions:
    """`before`, with what was sent. A null changes nothing."""
    switches: dict[str, bool] = {name: getattr(before, name) for name in SWITCHES}
    for name, ours in SWITCH_NAMES.items():
        if (value := getattr(asked, name)) is not None:
            switches[ours] = value
    reminders = before.reminders
    if asked.scheduled_remind_prior is not None:
        reminders = (before.reminders or (REMINDER,)) if asked.scheduled_remind_prior else ()
    return MaintenanceOptions(**switches, reminders=reminders)


def mark(
    incident: Incident, asked: IncidentIn, actor: Actor, *, title: str | None, further: Sequence[Component] = ()
) -> Incident:
    """Name, impact, metadata and reminders. A null impact is derived from the components again."""
    sent = asked.model_fields_set
    return attributes.edit_details(
        incident,
        title=title,
        impact_override=(asked.impact_override or "") if "impact_override" in sent else None,
        metadata=asked.metadata,
        reminder_intervals=(asked.reminder_intervals or "") if "reminder_intervals" in sent else None,
        components=further,
        actor=actor,
    )


def statuses_of(page: Page, asked: IncidentIn) -> Statuses:
    """Of each component named, what it is to have: where nothing is said, what it has."""
    said = asked.statuses
    field = "component_ids" if asked.component_ids else "components"
    named = components_named(page, said, field=field)
    return {component: said[component.public_id] or component.status for component in named}


def change(incident: Incident, asked: IncidentIn, *, actor: Actor) -> Incident:
    """Its marks, its window and switches, then an update if there is one to post."""
    with rename_fields(**NAMES):
        statuses = statuses_of(incident.page, asked)
        said = incident.is_maintenance and change_plan(incident, asked, statuses, actor)
        if _says_something(incident, asked, statuses, said=said):
            _post(incident, asked, statuses, actor)
        incident.refresh_from_db()
        return mark(incident, asked, actor, title=asked.name, further=list(statuses))


def _says_something(incident: Incident, asked: IncidentIn, statuses: Statuses, *, said: bool) -> bool:
    """Whether an update is to be posted. `said`: the text was."""
    if moves_on(incident, asked) or (asked.text.strip() and not said):
        return True
    sets = {component: new for component, new in statuses.items() if new != component.status}
    return bool(sets) and not incident.is_upcoming


def _post(incident: Incident, asked: IncidentIn, statuses: Statuses, actor: Actor) -> None:
    status = asked.status or incident.status
    notify = asked.deliver_notifications is not False
    update = UpdateInput(body=asked.text, status=status, components=statuses or None, notify=notify)
    if incident.is_maintenance:
        post_step(incident, update, statuses, actor=actor)
        return
    update = _with_body(update)
    if status == Status.RESOLVED and not incident.is_resolved:
        actions.resolve(incident, update, restore=update.components, actor=actor)
    elif incident.is_resolved and status != Status.RESOLVED:
        actions.reopen(incident, update, actor=actor)
    else:
        _refuse_after_the_end(incident)
        actions.post_update(incident, update, actor=actor)


def _with_body(update: UpdateInput) -> UpdateInput:
    """With the standard sentence of its status if it has no text."""
    return update if update.body else replace(update, body=wording.BY_STATUS[Status(update.status)])


def _refuse_after_the_end(incident: Incident) -> None:
    if incident.is_resolved:
        raise ValidationError({"status": "This incident is resolved. Send another status to take it up again."})


def change_plan(maintenance: Incident, asked: IncidentIn, statuses: Statuses, actor: Actor) -> bool:
    """Window, switches, and before it has begun the components that it names. Whether the text was posted with it."""
    start, end = maintenance.window
    wanted = (asked.scheduled_for or start, asked.scheduled_until or end)
    moves = wanted != (start, end)
    if moves:
        maintenance_lifecycle.reschedule(
            maintenance,
            UpdateInput(
                body="" if moves_on(maintenance, asked) else asked.text,
                notify=asked.deliver_notifications is not False,
            ),
            scheduled_for=wanted[0],
            scheduled_until=wanted[1],
            actor=actor,
        )
    if not maintenance.is_resolved:
        _change_options(maintenance, asked, statuses, actor)
    return moves and not moves_on(maintenance, asked)


def _change_options(maintenance: Incident, asked: IncidentIn, statuses: Statuses, actor: Actor) -> None:
    before = maintenance_lifecycle.options_of(maintenance)
    options = options_of(before, asked)
    named = list(statuses) if maintenance.is_upcoming and statuses else None
    if options != before or (named is not None and set(named) != set(maintenance.affected_components())):
        maintenance_lifecycle.change_options(maintenance, options=options, components=named, actor=actor)


def moves_on(incident: Incident, asked: IncidentIn) -> bool:
    return asked.status is not None and asked.status != incident.status


def post_step(maintenance: Incident, update: UpdateInput, statuses: Statuses, *, actor: Actor) -> None:
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
        raise ValidationError({"status": "This maintenance has not begun. Send “in_progress” first."})
    maintenance_lifecycle.start(maintenance, update, actor=actor)
    changed = {component: new for component, new in statuses.items() if new != component.status}
    if changed:
        text = wording.BY_STATUS[Status.IN_PROGRESS]
        further = UpdateInput(status=update.status, body=text, components=changed, notify=False)
        actions.post_update(maintenance, further, actor=actor)
