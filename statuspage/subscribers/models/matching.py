"""What an event is about, in the terms that subscribers choose by: the one rule of who is told of what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q

from incidents.models import AffectedComponent, Component, Event, Incident
from incidents.models.event_kinds import properties_of
from incidents.models.states import Kind
from statuspage.subscribers.models.subscriptions import Detail, Interest


@dataclass(frozen=True)
class Parts:
    """Ids of components, and of the groups that they are in now."""

    components: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()

    @classmethod
    def of(cls, components: Iterable[Component]) -> Parts:
        found = list(components)
        return cls(frozenset(c.pk for c in found), frozenset(c.group_id for c in found if c.group_id))

    def __or__(self, other: Parts) -> Parts:
        return Parts(self.components | other.components, self.groups | other.groups)

    def __sub__(self, other: Parts) -> Parts:
        return Parts(self.components - other.components, self.groups - other.groups)


@dataclass(frozen=True)
class EventScope:
    """`before`: what earlier updates named; `now`: what this one names. An incident that names no component concerns
    those who are told of the whole page, and those who chose this very incident."""

    chosen_as: str
    is_milestone: bool
    incident: int | None = None
    before: Parts = field(default_factory=Parts)
    now: Parts = field(default_factory=Parts)

    def condition(self) -> Q:
        """For a filter on subscribers: who wants to be told of it."""
        return Q(**{self.chosen_as: True}) & self._is_in_scope() & self._is_in_detail()

    def _is_in_scope(self) -> Q:
        return Q(whole_page=True) | self._chosen(self.before | self.now, incident=self.incident)

    def _is_in_detail(self) -> Q:
        if self.is_milestone:
            return Q()
        # For whoever chose a part that joins an incident half-way, that update is where it begins.
        return Q(detail=Detail.ALL) | (Q(whole_page=False) & self._chosen(self.now - self.before))

    def _chosen(self, parts: Parts, *, incident: int | None = None) -> Q:
        mine = Interest.objects.filter(subscriber=OuterRef("pk"))
        chosen = mine.in_any(components=parts.components, groups=parts.groups, incident=incident)
        return Q(Exists(chosen))


def event_scope_of(event: Event) -> EventScope:
    """One query. Components are those that the incident had named by then; their groups are today's."""
    if event.incident_id is None:
        return EventScope(
            "tells_incidents", is_milestone=False, now=Parts.of([event.component] if event.component else [])
        )
    named = AffectedComponent.objects.filter(update__incident=event.incident_id)
    if event.update_id:
        named = named.filter(update__lte=event.update_id)
    else:
        named = named.filter(update__created_at__lte=event.created_at)
    rows = list(named.values_list("update_id", "component_id", "component__group_id"))
    return EventScope(
        chosen_as=_chosen_as(event.kind, event.incident),
        is_milestone=event.properties.is_milestone,
        incident=event.incident_id,
        before=_parts([(part, group) for update, part, group in rows if update != event.update_id]),
        now=_parts([(part, group) for update, part, group in rows if update == event.update_id]),
    )


def event_scope_of_draft(incident: Incident | None, kind: str, components: Iterable[Component]) -> EventScope:
    """What an event of `kind` would be about, if it were published now with these components. None: a new incident."""
    return EventScope(
        chosen_as=_chosen_as(kind, incident),
        is_milestone=properties_of(kind).is_milestone,
        incident=incident.pk if incident else None,
        before=Parts.of(Component.objects.affected_by(incident)) if incident else Parts(),
        now=Parts.of(components),
    )


def _chosen_as(kind: str, incident: Incident | None) -> str:
    """The subscriber's column that says whether they want this kind of news."""
    if kind.startswith("postmortem."):
        return "tells_postmortems"
    maintenance = kind.startswith("maintenance.") or (incident is not None and incident.kind == Kind.MAINTENANCE)
    return "tells_maintenances" if maintenance else "tells_incidents"


def _parts(rows: Iterable[tuple[int, int | None]]) -> Parts:
    found = list(rows)
    return Parts(frozenset(part for part, _ in found), frozenset(group for _, group in found if group))
