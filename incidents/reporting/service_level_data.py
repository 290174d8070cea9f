"""Reads what service level reports are made of: a fixed number of queries, whatever else the page has lived through."""

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
    """`incidents`: those that named the component and were going on in the period; `targets`: those that held in it."""

    component: Component
    period: Period
    level: ServiceLevel
    targets: list[ServiceTarget]
    incidents: list[Incident]


def service_reports(
    page: Page, components: Sequence[Component], period: Period, *, viewer: Viewer, now: datetime
) -> list[ServiceLevelData]:
    """One for each of `components`, in their order. Four queries."""
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
    """By component, oldest first."""
    going_on = page.incidents.incidents().visible_to(viewer).ongoing_between(start, end)
    named = set(AffectedComponent.objects.pairs(going_on, components))
    found: dict[int, list[Incident]] = defaultdict(list)
    for incident in going_on.order_by("started_at", "pk"):
        for component in components:
            if (component.pk, incident.pk) in named:
                found[component.pk].append(incident)
    return found
