"""Find components that are not operational although their incident is resolved."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.models import AffectedComponent, Component, Incident, Page
from incidents.models.states import ComponentStatus

# Older ones are not reported.
WATCHED = timedelta(days=7)


@dataclass(frozen=True)
class UnrestoredComponent:
    incident: Incident
    components: list[Component]


def unrestored_components(page: Page, *, now: datetime) -> list[UnrestoredComponent]:
    """Return the components by incident, the last resolved first. One query.

    A component belongs to the last incident that affected it. Components of open incidents and running maintenances,
    and those that failed after the incident was resolved, are left out.
    """
    by_incident: dict[int, UnrestoredComponent] = {}
    seen: set[int] = set()
    for row in AffectedComponent.objects.unrestored(page, since=now - WATCHED):
        incident = row.update.incident
        if row.component_id not in seen:
            seen.add(row.component_id)
            by_incident.setdefault(incident.pk, UnrestoredComponent(incident, [])).components.append(row.component)
    for unrestored in by_incident.values():
        unrestored.components.sort(key=lambda component: component.sort_key)
    return list(by_incident.values())


def unrestored_components_of(incident: Incident, affected: Collection[Component], *, now: datetime) -> list[Component]:
    """Return the unrestored ones of the `affected` components. No query if all are operational."""
    if not incident.is_resolved or incident.is_maintenance or not any(map(is_not_operational, affected)):
        return []
    return next(
        (entry.components for entry in unrestored_components(incident.page, now=now) if entry.incident == incident), []
    )


def is_not_operational(component: Component) -> bool:
    return component.archived_at is None and component.status != ComponentStatus.OPERATIONAL
