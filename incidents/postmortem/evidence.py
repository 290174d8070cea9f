"""Read from the database what a postmortem needs: moments, component statuses and suggested timeline lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby

from incidents import clock
from incidents.models import AuditEntry, Component, EventKind, Incident, IncidentUpdate, StatusInterval
from incidents.models.event_kinds import PROPERTIES
from incidents.models.findings import TimelineLine
from incidents.models.states import IMPAIRED, ComponentStatus
from incidents.postmortem.summary import StatusSpan, TimelineFacts
from incidents.reporting.periods import Period
from incidents.reporting.response_times import IncidentTimes, Measure
from incidents.text import markdown

MOST_LINES = 100
_LONGEST = 300
# The audit entries that belong in a timeline.
_LOG = {
    **{
        kind.value: properties.timeline_sentence
        for kind, properties in PROPERTIES.items()
        if properties.timeline_sentence
    },
    "draft.submitted": "submitted a draft",
    "draft.approved": "approved a draft",
}


@dataclass(frozen=True)
class Evidence:
    incident: Incident
    components: list[Component]
    intervals: list[StatusInterval]

    @cached_property
    def facts(self) -> TimelineFacts:
        own = {update.pk for update in self.incident.updates.all()}
        rows = [row for row in self.intervals if row.status in IMPAIRED and row.update_id in own]
        first_impact = min((row.started_at for row in rows), default=None)
        times = _incident_times(self.incident, first_impact)
        resolved = self.incident.resolved_at
        ends = [row.ended_at for row in rows]
        restored = max((at for at in ends if at), default=None) if None not in ends else None
        moments = {
            "began": times.impact_start or self.incident.happened_at,
            "acknowledged": times.reached(Measure.ACKNOWLEDGE),
            "fixed": times.reached(Measure.FIX),
            "resolved": resolved,
            "ended": restored or resolved,
        }
        spans = self._spans()
        return TimelineFacts(
            moments,
            [(component.public_id, component.full_name, tuple(spans[component.pk])) for component in self.components],
        )

    def _spans(self) -> dict[int, list[StatusSpan]]:
        """Return the spans by component. Open intervals end now."""
        now, spans = clock.now(), defaultdict[int, list[StatusSpan]](list)
        for row in self.intervals:
            spans[row.component_id].append(StatusSpan(row.status, row.started_at, row.ended_at or now))
        return spans


def evidence_of(incident: Incident) -> Evidence:
    """Return the evidence, with one query for an incident loaded `with_details()`."""
    components = incident.affected_components()
    rows = StatusInterval.objects.as_corrected().of_components(components)
    touching = (
        rows.overlapping(_beginning(incident), incident.resolved_at or clock.now()) if components else rows.none()
    )
    return Evidence(incident, components, list(touching.order_by("started_at", "pk")))


def lines_of(evidence: Evidence) -> list[TimelineLine]:
    """Return suggested timeline lines in the order of time, MOST_LINES at most. One query.

    Updates and status changes are public already. Lines from the audit log are for staff only.
    """
    incident = evidence.incident
    lines = [*_of_updates(incident), *_of_statuses(evidence), *_of_log(incident, evidence.components)]
    return sorted(lines, key=lambda line: line.at)[:MOST_LINES]


def _beginning(incident: Incident) -> datetime:
    """Return the earliest known start."""
    return min(incident.impact_started_at or incident.happened_at, incident.happened_at)


def _incident_times(incident: Incident, first_impact: datetime | None) -> IncidentTimes:
    steps = [(update.display_at, update.status) for update in reversed(incident.updates.all())]
    month = Period.month_at(incident.happened_at, incident.page.zone)
    return IncidentTimes(month, incident.impact, incident.impact_started_at, first_impact, steps)


def _of_updates(incident: Incident) -> Iterator[TimelineLine]:
    for update in incident.updates.all():
        changes = ", ".join(
            f"{row.component.full_name}: {_label(row.new_status)}"
            for row in update.affected.all()
            if row.new_status != row.old_status
        )
        text = f"{update.label}: {_first_line(update)}{f' ({changes})' if changes else ''}"
        yield TimelineLine(update.display_at, _cut(text, 450), source=f"update:{update.public_id}")


def _first_line(update: IncidentUpdate) -> str:
    return _cut(markdown.first_words(update.body_html), _LONGEST)


def _of_statuses(evidence: Evidence) -> Iterator[TimelineLine]:
    """Yield status changes that no update of the incident made: by hand, by the API, by another incident."""
    own = {update.pk for update in evidence.incident.updates.all()}
    first = _beginning(evidence.incident)
    components = {component.pk: component for component in evidence.components}
    rows = [row for row in evidence.intervals if row.started_at >= first and row.update_id not in own]
    for at, changed in groupby(rows, key=lambda row: row.started_at):
        changes = list(changed)
        text = ", ".join(f"{components[row.component_id].full_name}: {_label(row.status)}" for row in changes)
        public_ids = ",".join(sorted(components[row.component_id].public_id for row in changes))
        yield TimelineLine(at, _cut(text, _LONGEST), source=f"status:{public_ids}:{at:%Y%m%d%H%M%S}"[:200])


def _of_log(incident: Incident, components: Iterable[Component]) -> Iterator[TimelineLine]:
    end = incident.resolved_at or clock.now()
    names = {component.public_id: component.full_name for component in components}
    for entry in AuditEntry.objects.during_incident(incident, components, until=end).oldest_first()[:MOST_LINES]:
        action = _LOG.get(entry.verb)
        if action and entry.verb == EventKind.COMPONENT_STATUS:
            new = str(entry.details.get("new", ""))
            label = _label(new) if new in ComponentStatus.values else new
            action = action.format(names.get(entry.object_ref, ""), label)
        if action:
            text = f"{entry.actor_label} {action}"
            yield TimelineLine(entry.created_at, _cut(text, _LONGEST), is_public=False, source=f"log:{entry.pk}")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _label(status: str) -> str:
    return ComponentStatus(status).label
