"""Incidents, maintenances and their updates."""

from collections.abc import Iterable

from incidents.models import (
    Event,
    Incident,
    IncidentUpdate,
    Page,
)
from incidents.statuspage_json import published_postmortem
from statuspage.api.schemas.incidents import IncidentOut, UpdateOut
from statuspage.api.shapes.components import component_out
from statuspage.api.shapes.postmortems import changed_at
from statuspage.common.json_responses import wire_of


def incidents_out(page: Page, incidents: Iterable[Incident]) -> list[IncidentOut]:
    """`incidents` come `for_programs()`. One more query, however many."""
    listed = list(incidents)
    told = Event.objects.told_of_postmortems(listed)
    return [_incident(page, one, told_of_postmortem=one.pk in told) for one in listed]


def incident_out(page: Page, incident: Incident) -> IncidentOut:
    """Freshly read."""
    return incidents_out(page, Incident.objects.for_programs().filter(pk=incident.pk))[0]


def _incident(page: Page, incident: Incident, *, told_of_postmortem: bool) -> IncidentOut:
    wire = wire_of(page)
    postmortem = published_postmortem(incident)
    planned = incident.is_maintenance
    sent = [reminder.sent_at for reminder in incident.reminders.all() if reminder.sent_at]
    return IncidentOut(
        id=incident.public_id,
        components=[component_out(page, one) for one in incident.affected_components()],
        created_at=wire.time(incident.created_at),
        impact=incident.impact,
        impact_override=incident.impact_override or None,
        incident_updates=[UpdateOut(**wire.update(update, incident)) for update in incident.updates.all()],
        metadata=incident.metadata,
        monitoring_at=wire.time_or_none(incident.monitoring_at),
        name=incident.title,
        page_id=page.public_id,
        postmortem_body=postmortem.body if postmortem else None,
        postmortem_body_last_updated_at=wire.time_or_none(changed_at(postmortem)) if postmortem else None,
        postmortem_notified_subscribers=told_of_postmortem,
        postmortem_published_at=wire.time_or_none(postmortem.published_at) if postmortem else None,
        resolved_at=wire.time_or_none(incident.resolved_at),
        scheduled_auto_completed=planned and incident.auto_complete,
        scheduled_auto_in_progress=planned and incident.auto_start,
        scheduled_for=wire.time_or_none(incident.scheduled_for),
        auto_transition_deliver_notifications_at_end=incident.notify_end if planned else None,
        auto_transition_deliver_notifications_at_start=incident.notify_start if planned else None,
        auto_transition_to_maintenance_state=incident.set_components if planned else None,
        auto_transition_to_operational_state=incident.restore_components if planned else None,
        scheduled_remind_prior=planned and bool(incident.reminders.all()),
        scheduled_reminded_at=wire.time_or_none(max(sent, default=None)),
        scheduled_until=wire.time_or_none(incident.scheduled_until),
        shortlink=wire.link(incident),
        started_at=wire.time(incident.started_at),
        status=incident.status,
        updated_at=wire.time(incident.updated_at),
        reminder_intervals=incident.reminder_intervals or None,
    )


def update_out(page: Page, update: IncidentUpdate) -> UpdateOut:
    return UpdateOut(**wire_of(page).update(update, update.incident))
