"""Components that are still in trouble though the incident that named them is resolved."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.models import AffectedComponent, Component, Incident, Page
from incidents.models.states import ComponentStatus

# After that it is no slip any more, and no news.
WATCHED = timedelta(days=7)


@dataclass(frozen=True)
class UnrestoredComponent:
    incident: Incident
    components: list[Component]


def unrestored_components(page: Page, *, now: datetime) -> list[UnrestoredComponent]:
    """By the incident, the last resolved first; a component stands with the last that named it. One query.

    Left out is what an open incident or a running maintenance names, and what went wrong after the resolve.
    """
    found: dict[int, UnrestoredComponent] = {}
    seen: set[int] = set()
    for row in AffectedComponent.objects.unrestored(page, since=now - WATCHED):
        incident = row.update.incident
        if row.component_id not in seen:
            seen.add(row.component_id)
            found.setdefault(incident.pk, UnrestoredComponent(incident, [])).components.append(row.component)
    for one in found.values():
        one.components.sort(key=lambda component: component.place)
    return list(found.values())


def unrestored_components_of(incident: Incident, affected: Collection[Component], *, now: datetime) -> list[Component]:
    """Those of `affected`, which it names. No query unless one of them is in trouble after its resolve."""
    if not incident.is_resolved or incident.is_maintenance or not any(map(is_not_operational, affected)):
        return []
    return next(
        (one.components for one in unrestored_components(incident.page, now=now) if one.incident == incident), []
    )


def is_not_operational(component: Component) -> bool:
    return component.archived_at is None and component.status != ComponentStatus.OPERATIONAL
