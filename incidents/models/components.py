from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from incidents.models.base import new_public_id
from incidents.models.pages import Page
from incidents.models.states import ComponentStatus
from incidents.visibility import Viewer

if TYPE_CHECKING:
    from incidents.models.events import Event
    from incidents.models.incidents import Incident, IncidentQuerySet


class ComponentGroup(models.Model):
    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="groups")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, max_length=1000)
    position = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class ComponentQuerySet(models.QuerySet["Component"]):
    def active(self) -> ComponentQuerySet:
        """Components that are not archived."""
        return self.filter(archived_at__isnull=True)

    def visible_to(self, viewer: Viewer) -> ComponentQuerySet:
        """Components that visitors see and that count for the headline: not archived, not hidden while operational."""
        if viewer is Viewer.STAFF:
            return self.active()
        return self.active().exclude(only_show_if_degraded=True, status=ComponentStatus.OPERATIONAL)

    def showcased(self) -> ComponentQuerySet:
        """Components whose uptime is public."""
        return self.filter(showcase=True)

    def with_public_ids(self, public_ids: Collection[str]) -> ComponentQuerySet:
        return self.filter(public_id__in=public_ids)

    def not_operational(self) -> ComponentQuerySet:
        return self.active().exclude(status=ComponentStatus.OPERATIONAL)

    def count_by_status(self) -> list[tuple[str, str, int]]:
        """Return rows of page (public id), status and number of components."""
        rows = self.order_by().values_list("page__public_id", "status")
        return list(rows.annotate(number=models.Count("pk")))

    def worst_first(self) -> ComponentQuerySet:
        """Those that are not operational first."""
        is_operational = models.Case(models.When(status=ComponentStatus.OPERATIONAL, then=1), default=0)
        return self.select_related("group").order_by(is_operational, "pk")

    def affected_by(self, incident: Incident) -> ComponentQuerySet:
        return self.filter(affected__update__incident=incident).distinct()

    def affected_by_other_ongoing(self, incident: Incident) -> ComponentQuerySet:
        """Components that another unresolved incident or running maintenance affects."""
        return self.affected_by_any(incident.page.incidents.ongoing().exclude(pk=incident.pk))

    def affected_by_any(self, incidents: IncidentQuerySet) -> ComponentQuerySet:
        return self.filter(affected__update__incident__in=incidents).distinct()

    def changed_by(self, events: Iterable[Event]) -> ComponentQuerySet:
        """The components of `events`, and all components of their incidents."""
        events = list(events)
        own = [event.component_id for event in events if event.component_id]
        incidents = [event.incident_id for event in events if event.incident_id]
        affected = self.model.objects.filter(affected__update__incident__in=incidents)
        return self.filter(models.Q(pk__in=own) | models.Q(pk__in=affected.values("pk")))

    def matching(self, text: str) -> ComponentQuerySet:
        """Each of the words stands in its name or its group's."""
        components = self
        for word in text.split():
            components = components.filter(models.Q(name__icontains=word) | models.Q(group__name__icontains=word))
        return components

    def in_page_order(self) -> ComponentQuerySet:
        """Groups and loose components by their own position, a group's members by theirs."""
        return self.select_related("group").order_by(
            models.functions.Coalesce("group__position", "position"), "group__pk", "position", "pk"
        )


class Component(models.Model):
    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="components")
    group = models.ForeignKey(ComponentGroup, models.SET_NULL, null=True, blank=True, related_name="components")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, max_length=1000)
    status = models.CharField(max_length=24, choices=ComponentStatus, default=ComponentStatus.OPERATIONAL)
    position = models.PositiveIntegerField(default=1)
    only_show_if_degraded = models.BooleanField(default=False)
    showcase = models.BooleanField(default=True)
    start_date = models.DateField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = ComponentQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.full_name

    @property
    def sort_key(self) -> tuple[int, int, int]:
        """Return the sort key of the page order, like `in_page_order`, except for groups at the same position."""
        return self.group.position if self.group else self.position, self.position, self.pk

    @property
    def is_shown(self) -> bool:
        """Return whether visitors see it. Equivalent to `visible_to`."""
        hidden = self.only_show_if_degraded and self.status == ComponentStatus.OPERATIONAL
        return self.archived_at is None and not hidden

    @property
    def full_name(self) -> str:
        """`Group - Component`, or the bare name of a loose one (contract section 1.3)."""
        return f"{self.group.name} - {self.name}" if self.group else self.name
