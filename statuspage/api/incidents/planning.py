"""What a PATCH of a maintenance means: its window, its switches, its steps."""

from typing import Any

from django.core.exceptions import ValidationError

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actor import Actor
from incidents.models import Incident
from incidents.models.states import RUNNING, Status
from incidents.text import wording
from statuspage.api.incidents.asking import Statuses, options_of
from statuspage.api.schemas.incidents import IncidentIn


def change_plan(maintenance: Incident, asked: IncidentIn, statuses: Statuses, actor: Actor) -> bool:
    """Window, switches, and before it has begun the components that it names. Whether the text was posted with it."""
    start, end = maintenance.window
    wanted = (asked.scheduled_for or start, asked.scheduled_until or end)
    moves = wanted != (start, end)
    if moves:
        maintenance_lifecycle.reschedule(
            maintenance,
            scheduled_for=wanted[0],
            scheduled_until=wanted[1],
            body="" if moves_on(maintenance, asked) else asked.text,
            notify=asked.deliver_notifications is not False,
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


def post_step(maintenance: Incident, status: str, statuses: Statuses, common: dict[str, Any]) -> None:
    """Each step of a maintenance has its own verb. One that is completed before it began was called off."""
    if status == Status.COMPLETED and maintenance.is_upcoming:
        maintenance_lifecycle.cancel(maintenance, **common)
    elif status == Status.COMPLETED:
        maintenance_lifecycle.complete(maintenance, restore=statuses or None, **common)
    elif status in RUNNING and maintenance.is_upcoming:
        _start(maintenance, status, statuses, common)
    else:
        common["body"] = common["body"] or wording.BY_STATUS[Status(status)]
        actions.post_update(maintenance, status=status, components=statuses or None, **common)


def _start(maintenance: Incident, status: str, statuses: Statuses, common: dict[str, Any]) -> None:
    """What it sets by itself comes first; what the request says of the components has the last word."""
    if status == Status.VERIFYING:
        raise ValidationError({"status": "This maintenance has not begun. Send “in_progress” first."})
    maintenance_lifecycle.start(maintenance, **common)
    said = {component: new for component, new in statuses.items() if new != component.status}
    if said:
        text = wording.BY_STATUS[Status.IN_PROGRESS]
        actor = common["actor"]
        actions.post_update(maintenance, status=status, body=text, components=said, notify=False, actor=actor)
