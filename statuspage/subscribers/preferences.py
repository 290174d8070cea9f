"""The preferences of a subscriber: which updates they receive, and how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

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
KINDS = {"incidents": _("Incidents"), "maintenances": _("Maintenances"), "postmortems": _("Postmortems")}


@dataclass(frozen=True)
class Preferences:
    """`groups`, `components` and `incidents` apply only without `whole_page`. Empty `time_zone`: that of the page."""

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
        """Return the rows to store for `subscriber`."""
        if self.whole_page:
            return []
        return [
            *(Interest(subscriber=subscriber, group=group) for group in self.groups),
            *(Interest(subscriber=subscriber, component=component) for component in self.components),
            *(Interest(subscriber=subscriber, incident=incident) for incident in self.incidents),
        ]


def preferences_of(subscriber: Subscriber) -> Preferences:
    """Return the preferences: one query, or none if the interests are prefetched (`with_preferences`)."""
    prefetched = "interests" in getattr(subscriber, "_prefetched_objects_cache", {})
    interests = list(subscriber.interests.all() if prefetched else subscriber.interests.with_names())
    return Preferences(
        groups=tuple(interest.group for interest in interests if interest.group),
        components=tuple(interest.component for interest in interests if interest.component),
        incidents=tuple(interest.incident for interest in interests if interest.incident),
        **{name: getattr(subscriber, name) for name in COLUMNS},
    )


@transaction.atomic
def set_preferences(subscriber: Subscriber, preferences: Preferences) -> None:
    """Replace all preferences of `subscriber`."""
    Subscriber.objects.filter(pk=subscriber.pk).update(**preferences.columns)
    subscriber.interests.all().delete()
    Interest.objects.bulk_create(preferences.interests(subscriber))
    subscriber.refresh_from_db()


@transaction.atomic
def inherit_preferences(group: ComponentGroup) -> int:
    """Before `group` is deleted, select its components for the subscribers who selected the group.

    Without this, they would silently receive nothing any more. Returns the number of these subscribers.
    """
    followers = list(Interest.objects.filter(group=group).values_list("subscriber", flat=True))
    members = [component.pk for component in group.components.all()]
    Interest.objects.bulk_create(
        (Interest(subscriber_id=subscriber, component_id=member) for subscriber in followers for member in members),
        batch_size=1000,
        ignore_conflicts=True,
    )
    return len(followers)


@transaction.atomic
def follow(duplicate: Incident, *, into: Incident) -> int:
    """After `duplicate` was merged into `into`, move its followers there. Returns the number of followers."""
    followers = list(Interest.objects.filter(incident=duplicate).values_list("subscriber", flat=True))
    Interest.objects.bulk_create(
        (Interest(subscriber_id=subscriber, incident=into) for subscriber in followers),
        batch_size=1000,
        ignore_conflicts=True,
    )
    return len(followers)


def scope_labels(preferences: Preferences) -> list[str]:
    """Return a label for each part of the page that the subscriber receives updates about."""
    if preferences.whole_page:
        return [gettext("Everything on this page")]
    names: Iterable[str] = (
        *(gettext("%(group)s (whole group)") % {"group": group.name} for group in preferences.groups),
        *(component.full_name for component in preferences.components),
        *(gettext("Incident “%(title)s”") % {"title": incident.title} for incident in preferences.incidents),
    )
    return list(names) or [gettext("Nothing (the selected parts no longer exist)")]
