"""What a POST of an incident means."""

from datetime import datetime, time

from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.maintenances.maintenance_lifecycle import MaintenanceOptions
from incidents.actor import Actor
from incidents.models import Incident, Page
from incidents.models.states import MAINTENANCE_STATUSES, Status
from incidents.text import wording
from statuspage.api.errors import rename_fields
from statuspage.api.incidents.asking import NAMES, mark, options_of, statuses_of
from statuspage.api.schemas.incidents import IncidentIn

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
