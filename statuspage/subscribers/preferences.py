"""What a subscriber wants to be told of, and how: read and written as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from incidents.models import Component, ComponentGroup, Incident
from statuspage.subscribers.models import Detail, Interest, Subscriber

COLUMNS = (
    "whole_page",
    "tells_incidents",
    "tells_maintenances",
    "tells_postmortems",
    "detail",
    "language",
    "time_zone",
)
KINDS = {"incidents": "Incidents", "maintenances": "Maintenances", "postmortems": "Postmortems"}


@dataclass(frozen=True)
class Preferences:
    """`groups`, `components` and `incidents` count only without `whole_page`. An empty `time_zone` is the page's."""

    whole_page: bool = True
    groups: tuple[ComponentGroup, ...] = ()
    components: tuple[Component, ...] = ()
    incidents: tuple[Incident, ...] = ()
    tells_incidents: bool = True
    tells_maintenances: bool = True
    tells_postmortems: bool = True
    detail: str = Detail.ALL
    language: str = settings.LANGUAGE_CODE
    time_zone: str = ""

    @property
    def columns(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in COLUMNS}

    @property
    def kinds(self) -> list[str]:
        return [kind for kind in KINDS if getattr(self, f"tells_{kind}")]

    def interests(self, subscriber: Subscriber) -> list[Interest]:
        """The rows to write for `subscriber`."""
        if self.whole_page:
            return []
        return [
            *(Interest(subscriber=subscriber, group=group) for group in self.groups),
            *(Interest(subscriber=subscriber, component=component) for component in self.components),
            *(Interest(subscriber=subscriber, incident=incident) for incident in self.incidents),
        ]


def preferences_of(subscriber: Subscriber) -> Preferences:
    """One query; none if the interests are prefetched, as `with_preferences` does."""
    prefetched = "interests" in getattr(subscriber, "_prefetched_objects_cache", {})
    chosen = list(subscriber.interests.all() if prefetched else subscriber.interests.with_names())
    return Preferences(
        groups=tuple(one.group for one in chosen if one.group),
        components=tuple(one.component for one in chosen if one.component),
        incidents=tuple(one.incident for one in chosen if one.incident),
        **{name: getattr(subscriber, name) for name in COLUMNS},
    )


@transaction.atomic
def set_preferences(subscriber: Subscriber, preferences: Preferences) -> None:
    """All of them at once: what was chosen before is forgotten."""
    Subscriber.objects.filter(pk=subscriber.pk).update(**preferences.columns)
    subscriber.interests.all().delete()
    Interest.objects.bulk_create(preferences.interests(subscriber))
    subscriber.refresh_from_db()


@transaction.atomic
def inherit_preferences(group: ComponentGroup) -> int:
    """Before `group` is deleted: whoever chose it keeps its components. Returns how many subscribers chose it.

    Else they would be told of nothing any more, and nobody would notice.
    """
    followers = list(Interest.objects.filter(group=group).values_list("subscriber", flat=True))
    members = [component.pk for component in group.components.all()]
    Interest.objects.bulk_create(
        (Interest(subscriber_id=one, component_id=member) for one in followers for member in members),
        batch_size=1000,
        ignore_conflicts=True,
    )
    return len(followers)


@transaction.atomic
def follow(duplicate: Incident, *, into: Incident) -> int:
    """After `duplicate` was joined with `into`: whoever chose it is told of that one. Returns how many did."""
    followers = list(Interest.objects.filter(incident=duplicate).values_list("subscriber", flat=True))
    Interest.objects.bulk_create(
        (Interest(subscriber_id=one, incident=into) for one in followers), batch_size=1000, ignore_conflicts=True
    )
    return len(followers)


def scope_labels(preferences: Preferences) -> list[str]:
    """What they are told of, one phrase for each thing; for people."""
    if preferences.whole_page:
        return ["Everything on this page"]
    names: Iterable[str] = (
        *(f"{group.name} (the whole group)" for group in preferences.groups),
        *(component.full_name for component in preferences.components),
        *(f"The incident “{incident.title}”" for incident in preferences.incidents),
    )
    return list(names) or ["Nothing: what was chosen is gone"]
