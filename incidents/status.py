"""Derived statuses: the headline of a page, the status of a group, the impact of an incident (contract section 1.5)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from incidents.models.states import BY_SEVERITY, IMPACT_OF, ComponentStatus, Impact


@dataclass(frozen=True)
class Headline:
    """`indicator`: none, minor, major, critical or maintenance; `description`: the sentence visitors read."""

    indicator: str
    description: str


_ALONE = {
    ComponentStatus.OPERATIONAL: Headline("none", "All Systems Operational"),
    ComponentStatus.UNDER_MAINTENANCE: Headline("maintenance", "Service Under Maintenance"),
    ComponentStatus.DEGRADED_PERFORMANCE: Headline("minor", "Partially Degraded Service"),
    ComponentStatus.PARTIAL_OUTAGE: Headline("major", "Partial System Outage"),
    ComponentStatus.MAJOR_OUTAGE: Headline("critical", "Major System Outage"),
}
_ALL = {
    ComponentStatus.MAJOR_OUTAGE: Headline("critical", "Major System Outage"),
    ComponentStatus.PARTIAL_OUTAGE: Headline("major", "Partial System Outage"),
}
_ANY = {
    ComponentStatus.MAJOR_OUTAGE: Headline("major", "Partial System Outage"),
    ComponentStatus.PARTIAL_OUTAGE: Headline("minor", "Minor Service Outage"),
}
_DEGRADED_SYSTEM = Headline("minor", "Degraded System Service")
_ACTIVE_INCIDENT = {
    Impact.NONE: Headline("none", "All Systems Operational"),
    Impact.MAINTENANCE: Headline("maintenance", "Service Under Maintenance"),
    Impact.MINOR: Headline("minor", "Minor Service Outage"),
    Impact.MAJOR: Headline("major", "Partial System Outage"),
    Impact.CRITICAL: Headline("critical", "Major System Outage"),
}


def page_status(components: Collection[str], *, open_impacts: Iterable[str] = ()) -> Headline:
    """The headline of a page whose counted components (leaves, never groups) have these statuses.

    `open_impacts` are the impacts of the unresolved incidents and of the running maintenances; they decide only where
    there is no component to count.
    The first rule of the table that matches wins (contract section 1.5).
    """
    statuses = [ComponentStatus(status) for status in components]
    if not statuses:
        return _ACTIVE_INCIDENT[worst_impact(open_impacts)]
    if len(statuses) == 1:
        return _ALONE[statuses[0]]
    kinds = set(statuses)
    if len(kinds) == 1:
        (only,) = kinds
        if only is ComponentStatus.DEGRADED_PERFORMANCE:
            return _DEGRADED_SYSTEM
        return _ALL.get(only, _ALONE[only])
    worst = worst_status(statuses)
    return _ANY.get(worst, _ALONE[worst])


def worst_status(statuses: Iterable[str]) -> ComponentStatus:
    """The most degraded of `statuses`; operational if there are none. A group is as bad as its worst member."""
    return max(map(ComponentStatus, statuses), key=BY_SEVERITY.index, default=ComponentStatus.OPERATIONAL)


def impact_of(statuses: Iterable[str]) -> Impact:
    """The impact of an incident whose components were at worst in these statuses."""
    return IMPACT_OF[worst_status(statuses)]


def worst_impact(impacts: Iterable[str]) -> Impact:
    return max(map(Impact, impacts), key=list(Impact).index, default=Impact.NONE)
