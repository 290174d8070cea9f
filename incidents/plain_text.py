"""The bodies of updates and postmortems for JSON and plain-text emails, with their times written out."""

from __future__ import annotations

from datetime import datetime

from incidents.models.incidents import Incident
from incidents.models.postmortems import Postmortem
from incidents.models.states import UPCOMING
from incidents.models.updates import IncidentUpdate
from incidents.text.time_shorthand import Clock, expand_times


def clock_of(incident: Incident, *, status: str, at: datetime) -> Clock:
    """Return the clock for an update with this status and time.

    Before a maintenance starts, a time without a date is on the day of its start.
    """
    start = incident.scheduled_for if status in UPCOMING else None
    return Clock(incident.page.zone, start or at)


def plain_body(update: IncidentUpdate, incident: Incident) -> str:
    if "@" not in update.body:
        return update.body
    return expand_times(update.body, clock_of(incident, status=update.status, at=update.display_at))


def plain_postmortem_body(postmortem: Postmortem, incident: Incident) -> str:
    """Return the body of a postmortem. A time without a date is on the day on which the incident began."""
    if "@" not in postmortem.body:
        return postmortem.body
    return expand_times(postmortem.body, Clock(incident.page.zone, incident.happened_at))
