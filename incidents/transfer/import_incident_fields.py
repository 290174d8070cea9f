"""Derive the fields of an incident from its imported record."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from incidents.models.states import ENDED, RUNNING, Kind, Status
from incidents.status import impact_of
from incidents.transfer.records import IncomingIncident

SHORTEST_WINDOW = timedelta(minutes=1)


def incident_fields(incoming: IncomingIncident) -> dict[str, Any]:
    """Return the columns of the incident. `incoming` has updates, oldest first."""
    first, last = incoming.updates[0], incoming.updates[-1]
    worst = impact_of(change.new_status for update in incoming.updates for change in update.changes)
    ends = [update.display_at for update in incoming.updates if update.status in ENDED]
    started_at = min(incoming.started_at or first.display_at, first.display_at)
    resolved_at = None
    if incoming.status in ENDED:
        resolved_at = incoming.resolved_at or max(ends, default=last.display_at)
    fields = {
        "kind": incoming.kind,
        "title": incoming.title[:255],
        "status": incoming.status,
        "impact": incoming.impact or worst,
        "started_at": started_at,
        "created_at": incoming.created_at or first.created_at or started_at,
        "monitoring_at": incoming.monitoring_at or _first_at(incoming, {Status.MONITORING}),
        "resolved_at": resolved_at,
        **({} if incoming.impact_override is None else {"impact_override": incoming.impact_override}),
        **incoming.switches,
    }
    return fields | _window_fields(incoming, resolved_at) if incoming.kind == Kind.MAINTENANCE else fields


def written_at(incoming: IncomingIncident) -> datetime:
    """Return when the other product last changed the incident."""
    return incoming.updated_at or incoming.updates[-1].display_at


def _window_fields(incoming: IncomingIncident, ended_at: datetime | None) -> dict[str, Any]:
    start = incoming.scheduled_for or incoming.updates[0].display_at
    end = incoming.scheduled_until or ended_at or start + timedelta(hours=1)
    began_at = _first_at(incoming, RUNNING)
    canceled_at = ended_at if ended_at and began_at is None and ended_at < start else None
    if began_at is None and ended_at and canceled_at is None:
        began_at = min(start, ended_at)
    return {
        "scheduled_for": start,
        "scheduled_until": max(end, start + SHORTEST_WINDOW),
        "began_at": began_at,
        "cancelled_at": canceled_at,
    }


def _first_at(incoming: IncomingIncident, statuses: Collection[str]) -> datetime | None:
    return next((update.display_at for update in incoming.updates if update.status in statuses), None)
