"""Moving in: what an incident's row says, from what was told of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from incidents.models.states import ENDED, RUNNING, Kind, Status
from incidents.status import impact_of
from incidents.transfer.records import IncomingIncident

SHORTEST_WINDOW = timedelta(minutes=1)


def columns_of(told: IncomingIncident) -> dict[str, Any]:
    worst = impact_of(change.new_status for one in told.updates for change in one.changes)
    ended = told.status in ENDED
    ends = [one.display_at for one in told.updates if one.status in ENDED]
    started_at = min(told.started_at or told.updates[0].display_at, told.updates[0].display_at)
    resolved_at = (told.resolved_at or max(ends, default=told.updates[-1].display_at)) if ended else None
    columns = {
        "kind": told.kind,
        "title": told.title[:255],
        "status": told.status,
        "impact": told.impact or worst,
        "started_at": started_at,
        "created_at": told.created_at or told.updates[0].created_at or started_at,
        "monitoring_at": told.monitoring_at or _first(told, {Status.MONITORING}),
        "resolved_at": resolved_at,
        **({} if told.impact_override is None else {"impact_override": told.impact_override}),
        **told.switches,
    }
    return columns | _window(told, resolved_at) if told.kind == Kind.MAINTENANCE else columns


def _window(told: IncomingIncident, ended_at: datetime | None) -> dict[str, Any]:
    start = told.scheduled_for or told.updates[0].display_at
    end = told.scheduled_until or ended_at or start + timedelta(hours=1)
    began = _first(told, RUNNING)
    cancelled = ended_at if ended_at and began is None and ended_at < start else None
    if began is None and ended_at and cancelled is None:
        began = min(start, ended_at)
    return {
        "scheduled_for": start,
        "scheduled_until": max(end, start + SHORTEST_WINDOW),
        "began_at": began,
        "cancelled_at": cancelled,
    }


def _first(told: IncomingIncident, statuses: Collection[str]) -> datetime | None:
    return next((one.display_at for one in told.updates if one.status in statuses), None)


def written_at(told: IncomingIncident) -> datetime:
    return told.updated_at or told.updates[-1].display_at
