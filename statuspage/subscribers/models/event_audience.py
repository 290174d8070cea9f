"""The scope of an event in terms of preferences: the only rule for which subscribers receive it."""

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
    """The ids of components and of their current groups."""

    components: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()

    @classmethod
    def of(cls, components: Iterable[Component]) -> Parts:
        components = list(components)
        return cls(
            frozenset(component.pk for component in components),
            frozenset(component.group_id for component in components if component.group_id),
        )

    def __or__(self, other: Parts) -> Parts:
        return Parts(self.components | other.components, self.groups | other.groups)

    def __sub__(self, other: Parts) -> Parts:
        return Parts(self.components - other.components, self.groups - other.groups)


@dataclass(frozen=True)
class EventScope:
    """The parts of the page that an event concerns.

    `before`: the components of earlier updates; `now`: those of this one. An incident without components concerns the
    subscribers of the whole page and the followers of this incident.
    """

    preference_field: str
    is_milestone: bool
    incident: int | None = None
    before: Parts = field(default_factory=Parts)
    now: Parts = field(default_factory=Parts)

    def condition(self) -> Q:
        """Return the filter for the subscribers who want to receive the event."""
        return Q(**{self.preference_field: True}) & self._is_in_scope() & self._is_in_detail()

    def _is_in_scope(self) -> Q:
        return Q(whole_page=True) | self._chosen(self.before | self.now, incident=self.incident)

    def _is_in_detail(self) -> Q:
        if self.is_milestone:
            return Q()
        # For subscribers of a component that is added to an incident later, the incident starts with that update.
        return Q(detail=Detail.ALL) | (Q(whole_page=False) & self._chosen(self.now - self.before))

    def _chosen(self, parts: Parts, *, incident: int | None = None) -> Q:
        interests = Interest.objects.filter(subscriber=OuterRef("pk"))
        matching = interests.in_any(components=parts.components, groups=parts.groups, incident=incident)
        return Q(Exists(matching))


def event_scope_of(event: Event) -> EventScope:
    """Return the scope of `event`, with one query: the components until then and their current groups."""
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
        preference_field=_preference_field(event.kind, event.incident),
        is_milestone=event.properties.is_milestone,
        incident=event.incident_id,
        before=_parts([(part, group) for update, part, group in rows if update != event.update_id]),
        now=_parts([(part, group) for update, part, group in rows if update == event.update_id]),
    )


def event_scope_of_draft(incident: Incident | None, kind: str, components: Iterable[Component]) -> EventScope:
    """Return the scope of an event of `kind` if it were published now. `incident` None: a new incident."""
    return EventScope(
        preference_field=_preference_field(kind, incident),
        is_milestone=properties_of(kind).is_milestone,
        incident=incident.pk if incident else None,
        before=Parts.of(Component.objects.affected_by(incident)) if incident else Parts(),
        now=Parts.of(components),
    )


def _preference_field(kind: str, incident: Incident | None) -> str:
    """Return the column of the subscriber that enables this kind of notification."""
    if kind.startswith("postmortem."):
        return "tells_postmortems"
    maintenance = kind.startswith("maintenance.") or (incident is not None and incident.kind == Kind.MAINTENANCE)
    return "tells_maintenances" if maintenance else "tells_incidents"


def _parts(rows: Iterable[tuple[int, int | None]]) -> Parts:
    components = list(rows)
    return Parts(frozenset(part for part, _ in components), frozenset(group for _, group in components if group))
