"""What every request about an incident says: components, marks, the switches of a maintenance."""

from collections.abc import Sequence

from incidents.actions.incidents import attributes
from incidents.actions.maintenances.maintenance_lifecycle import MaintenanceOptions
from incidents.actor import Actor
from incidents.models import Component, Incident, Page
from incidents.models.maintenances import SWITCHES
from statuspage.api.lookups import components_named
from statuspage.api.schemas.incidents import IncidentIn

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
