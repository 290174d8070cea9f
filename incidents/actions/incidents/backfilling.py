"""Add a past incident that was not reported at the time to the history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from incidents.actions import checks
from incidents.actions._audit import record
from incidents.actions.components import status_history
from incidents.actor import Actor
from incidents.models import AffectedComponent, Component, EventKind, Incident, IncidentUpdate, Page
from incidents.models.states import BY_SEVERITY, ComponentStatus, Kind, Status
from incidents.status import impact_of, worst_impact
from incidents.text.time_shorthand import Clock


@dataclass(frozen=True)
class PastUpdate:
    """An update of a past incident. `components` maps components to their status from `at` on."""

    status: str
    body: str
    at: datetime | None
    components: Mapping[Component, str] = field(default_factory=dict)


@transaction.atomic
def backfill(
    page: Page,
    *,
    title: str,
    updates: Sequence[PastUpdate],
    actor: Actor,
    impact: str | None = None,
    notify: bool = False,
    submission_key: str = "",
) -> Incident:
    """Create a resolved incident with all of its updates. Subscribers are notified only if `notify` is set.

    Rewrites the status history, and so the uptime, up to the last update, except where a worse status is recorded.
    Another call with the same `submission_key` returns the first incident.

    ValidationError fields: title, impact, updates.
    """
    title, times = checks.title(title), _times(updates)
    texts = [
        _text(number, update, at, page.zone)
        for number, (update, at) in enumerate(zip(updates, times, strict=True), start=1)
    ]
    try:
        with transaction.atomic():
            incident = _incident(page, title, updates, times, checks.impact(impact), submission_key)
    except IntegrityError:
        if not submission_key:
            raise
        return Incident.objects.get(submission_key=submission_key)
    rows = [
        _add(incident, update, text, at, before=before)
        for update, text, at, before in zip(updates, texts, times, [None, *updates[:-1]], strict=True)
    ]
    IncidentUpdate.objects.filter(pk=rows[-1].pk).update(notify=notify)
    components = _write_history(page, updates, rows)
    details: dict[str, Any] = {
        "title": title,
        "start": times[0].isoformat(),
        "end": times[-1].isoformat(),
        "components": [component.full_name for component in components],
    } | {f"update_{number}": f"{row.status}: {row.body}" for number, row in enumerate(rows, start=1)}
    # Subscribers and their programs receive it as a resolved incident.
    kind = EventKind.INCIDENT_RESOLVED if notify else EventKind.INCIDENT_BACKFILLED
    details["backfilled"] = True
    record(page, kind, incident, actor=actor, notify=notify, details=details, incident=incident, update=rows[-1])
    return incident


def _text(number: int, update: PastUpdate, at: datetime, zone: tzinfo) -> tuple[str, str]:
    try:
        return checks.body(update.body, clock=Clock(zone, at))
    except ValidationError as error:
        raise ValidationError({"updates": f"Update {number}: {' '.join(error.messages)}"}) from None


def _times(updates: Sequence[PastUpdate]) -> list[datetime]:
    """Return the times of `updates`. They must be in order, in the past and end with the resolving update."""
    if len(updates) < 2:
        raise ValidationError(
            {"updates": "Add at least two updates: one that reports the incident and one that resolves it."}
        )
    times = []
    for number, update in enumerate(updates, start=1):
        if update.at is None:
            raise ValidationError({"updates": f"Update {number}: Enter a time."})
        try:
            checks.status(update.status, Kind.INCIDENT)
            times.append(checks.moment(update.at))
        except ValidationError as error:
            raise ValidationError({"updates": f"Update {number}: {' '.join(error.messages)}"}) from None
    for number, (earlier, later) in enumerate(pairwise(times), start=2):
        if later <= earlier:
            raise ValidationError({"updates": f"Update {number}: Enter a time after the previous update."})
    if updates[-1].status != Status.RESOLVED or times[-1] > timezone.now():
        raise ValidationError({"updates": "The last update must resolve it. Declare ongoing incidents instead."})
    if any(update.status == Status.RESOLVED for update in updates[:-1]):
        raise ValidationError({"updates": "Only the last update can resolve the incident."})
    return times


def _incident(
    page: Page, title: str, updates: Sequence[PastUpdate], times: Sequence[datetime], override: str, key: str
) -> Incident:
    impacts = [impact_of(update.components.values()) for update in updates]
    monitored = [at for update, at in zip(updates, times, strict=True) if update.status == Status.MONITORING]
    return Incident.objects.create(
        page=page,
        title=title,
        status=Status.RESOLVED,
        impact_override=override,
        impact=override or worst_impact(impacts),
        started_at=times[0],
        monitoring_at=monitored[0] if monitored else None,
        resolved_at=times[-1],
        last_update_at=times[-1],
        submission_key=key or None,
    )


def _add(
    incident: Incident, update: PastUpdate, text: tuple[str, str], at: datetime, *, before: PastUpdate | None
) -> IncidentUpdate:
    return IncidentUpdate.objects.create(
        incident=incident,
        status=update.status,
        repeats_status=before is not None and before.status == update.status,
        body=text[0],
        body_html=text[1],
        display_at=at,
        notify=False,
    )


def _write_history(page: Page, updates: Sequence[PastUpdate], rows: Sequence[IncidentUpdate]) -> list[Component]:
    last_statuses: dict[Component, str] = {}
    for update in updates:
        last_statuses |= update.components
    locked = checks.components(page, last_statuses)
    for component in locked:
        statuses = [
            (row, update.components[component])
            for update, row in zip(updates, rows, strict=True)
            if component in update.components
        ]
        _write_component(component, statuses, over_at=rows[-1].display_at)
    return list(locked)


def _write_component(
    component: Component, statuses: Sequence[tuple[IncidentUpdate, str]], *, over_at: datetime
) -> None:
    status_history.reach_back(component, at=statuses[0][0].display_at)
    ends = [row.display_at for row, _ in statuses[1:]] + [over_at]
    old = status_history.status_before(component, statuses[0][0].display_at)
    for (row, status), end in zip(statuses, ends, strict=True):
        if status not in ComponentStatus.values:
            raise ValidationError({"updates": f"“{status}” is not a component status."})
        AffectedComponent.objects.create(update=row, component=component, old_status=old, new_status=status)
        old = status
        for start, until in _parts_to_overwrite(component, status, row.display_at, end):
            status_history.overwrite(component, status, start=start, end=until, update=row)


def _parts_to_overwrite(
    component: Component, status: str, start: datetime, end: datetime
) -> Iterable[tuple[datetime, datetime]]:
    """Return the parts of `start` to `end` where a better status than `status`, or none, is recorded."""
    if end <= start:
        return []
    live = component.intervals.as_corrected().overlapping(start, end).order_by("started_at")
    worse = [
        row
        for row in live
        if BY_SEVERITY.index(ComponentStatus(row.status)) >= BY_SEVERITY.index(ComponentStatus(status))
    ]
    edges = [start]
    for row in worse:
        edges += [max(row.started_at, start), min(row.ended_at or end, end)]
    edges.append(end)
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
