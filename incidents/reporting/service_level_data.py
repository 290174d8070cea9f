"""Read the data of service level reports, with a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from incidents.models import AffectedComponent, Component, Incident, Page, ServiceTarget
from incidents.reporting.periods import Period
from incidents.reporting.service_levels import Promise, ServiceLevel, service_level
from incidents.reporting.status_history import read_histories
from incidents.reporting.uptime import Weights, midnight
from incidents.visibility import Viewer


@dataclass(frozen=True)
class ServiceLevelData:
    """`incidents` affected the component in the period; `targets` applied in it."""

    component: Component
    period: Period
    level: ServiceLevel
    targets: list[ServiceTarget]
    incidents: list[Incident]


def service_reports(
    page: Page, components: Sequence[Component], period: Period, *, viewer: Viewer, now: datetime
) -> list[ServiceLevelData]:
    """Return a report for each of `components`, in their order. Four queries."""
    start, end = period.window(page.zone)
    intervals = read_histories(components, start, min(end, now), zone=page.zone)
    targets: dict[int, list[ServiceTarget]] = defaultdict(list)
    for target in ServiceTarget.objects.of(components).overlapping(period.first, period.after):
        targets[target.component_id].append(target)
    incidents = _incidents(page, components, start, min(end, now), viewer)
    return [
        ServiceLevelData(
            component=component,
            period=period,
            level=service_level(
                intervals[component.pk],
                [_promise(target, page) for target in targets[component.pk]],
                start=start,
                end=end,
                now=now,
                weights=Weights.for_page(page),
            ),
            targets=targets[component.pk],
            incidents=incidents[component.pk],
        )
        for component in components
    ]


def _promise(target: ServiceTarget, page: Page) -> Promise:
    end = midnight(target.valid_until, page.zone) if target.valid_until else None
    return Promise(target.percent, midnight(target.valid_from, page.zone), end)


def _incidents(
    page: Page, components: Sequence[Component], start: datetime, end: datetime, viewer: Viewer
) -> dict[int, list[Incident]]:
    """Return the incidents by component, oldest first."""
    open_incidents = page.incidents.incidents().visible_to(viewer).ongoing_between(start, end)
    pairs = set(AffectedComponent.objects.pairs(open_incidents, components))
    by_component: dict[int, list[Incident]] = defaultdict(list)
    for incident in open_incidents.order_by("started_at", "pk"):
        for component in components:
            if (component.pk, incident.pk) in pairs:
                by_component[component.pk].append(incident)
    return by_component
