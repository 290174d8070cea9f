"""Reads what is on record about an incident: the moments that follow from it, its components' spans, a timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby

from django.utils import timezone

from incidents.models import AuditEntry, Component, EventKind, Incident, IncidentUpdate, StatusInterval
from incidents.models.event_kinds import PROPERTIES
from incidents.models.findings import Line
from incidents.models.states import IMPAIRED, ComponentStatus
from incidents.postmortem.summary import Span, TimelineFacts
from incidents.reporting.periods import Period
from incidents.reporting.response_times import IncidentTimes, Measure
from incidents.text import markdown

MOST_LINES = 100
_LONGEST = 300
# What the log tells of an incident's course; the rest is bookkeeping.
_LOG = {
    **{kind.value: properties.timeline_sentence for kind, properties in PROPERTIES.items()},
    "draft.submitted": "submitted a text",
    "draft.approved": "approved a text",
}


@dataclass(frozen=True)
class Evidence:
    incident: Incident
    components: list[Component]
    intervals: list[StatusInterval]

    @cached_property
    def record(self) -> TimelineFacts:
        own = {update.pk for update in self.incident.updates.all()}
        harms = [row for row in self.intervals if row.status in IMPAIRED and row.update_id in own]
        first_harm = min((row.started_at for row in harms), default=None)
        course = _course(self.incident, first_harm)
        resolved = self.incident.resolved_at
        ends = [row.ended_at for row in harms]
        healed = max((at for at in ends if at), default=None) if None not in ends else None
        moments = {
            "began": course.impact_start or self.incident.happened_at,
            "acknowledged": course.reached(Measure.ACKNOWLEDGE),
            "fixed": course.reached(Measure.FIX),
            "resolved": resolved,
            "ended": healed or resolved,
        }
        spans = self._spans()
        return TimelineFacts(moments, [(one.public_id, one.full_name, tuple(spans[one.pk])) for one in self.components])

    def _spans(self) -> dict[int, list[Span]]:
        """By component; what holds still reaches until now."""
        now, found = timezone.now(), defaultdict[int, list[Span]](list)
        for row in self.intervals:
            found[row.component_id].append(Span(row.status, row.started_at, row.ended_at or now))
        return found


def evidence_of(incident: Incident) -> Evidence:
    """One query, for an incident that comes `with_details()`."""
    components = incident.affected_components()
    rows = StatusInterval.objects.as_corrected().of_components(components)
    touching = (
        rows.overlapping(_beginning(incident), incident.resolved_at or timezone.now()) if components else rows.none()
    )
    return Evidence(incident, components, list(touching.order_by("started_at", "pk")))


def lines_of(evidence: Evidence) -> list[Line]:
    """What a timeline can be filled with, in the order of time, MOST_LINES at most. One query.

    Updates and changes of status, which visitors can read already; and out of the log who did what, for staff alone.
    """
    incident = evidence.incident
    found = [*_of_updates(incident), *_of_statuses(evidence), *_of_log(incident, evidence.components)]
    return sorted(found, key=lambda line: line.at)[:MOST_LINES]


def _beginning(incident: Incident) -> datetime:
    """As early as anybody says."""
    return min(incident.impact_started_at or incident.happened_at, incident.happened_at)


def _course(incident: Incident, first_harm: datetime | None) -> IncidentTimes:
    steps = [(update.display_at, update.status) for update in reversed(incident.updates.all())]
    month = Period.month_at(incident.happened_at, incident.page.zone)
    return IncidentTimes(month, incident.impact, incident.impact_started_at, first_harm, steps)


def _of_updates(incident: Incident) -> Iterator[Line]:
    for update in incident.updates.all():
        changes = ", ".join(
            f"{row.component.full_name}: {_label(row.new_status)}"
            for row in update.affected.all()
            if row.new_status != row.old_status
        )
        said = f"{update.label}: {_first_line(update)}{f' ({changes})' if changes else ''}"
        yield Line(update.display_at, _cut(said, 450), source=f"update:{update.public_id}")


def _first_line(update: IncidentUpdate) -> str:
    return _cut(markdown.first_words(update.body_html), _LONGEST)


def _of_statuses(evidence: Evidence) -> Iterator[Line]:
    """Changes that no update of the incident made: by hand, by a program, by another incident."""
    own = {update.pk for update in evidence.incident.updates.all()}
    first = _beginning(evidence.incident)
    names = {one.pk: one for one in evidence.components}
    rows = [row for row in evidence.intervals if row.started_at >= first and row.update_id not in own]
    for at, changed in groupby(rows, key=lambda row: row.started_at):
        told = list(changed)
        text = ", ".join(f"{names[row.component_id].full_name}: {_label(row.status)}" for row in told)
        codes = ",".join(sorted(names[row.component_id].public_id for row in told))
        yield Line(at, _cut(text, _LONGEST), source=f"status:{codes}:{at:%Y%m%d%H%M%S}"[:200])


def _of_log(incident: Incident, components: Iterable[Component]) -> Iterator[Line]:
    end, names = incident.resolved_at or timezone.now(), {one.public_id: one.full_name for one in components}
    for entry in AuditEntry.objects.during_incident(incident, components, until=end).oldest_first()[:MOST_LINES]:
        words = _LOG.get(entry.verb)
        if words and entry.verb == EventKind.COMPONENT_STATUS:
            new = str(entry.details.get("new", ""))
            words = words.format(names.get(entry.object_ref, ""), _label(new) if new in ComponentStatus.values else new)
        if words:
            said = f"{entry.actor_label} {words}"
            yield Line(entry.created_at, _cut(said, _LONGEST), is_public=False, source=f"log:{entry.pk}")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _label(status: str) -> str:
    return ComponentStatus(status).label
