"""Incident updates, and the components that each of them affects."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from incidents.models.base import new_public_id
from incidents.models.components import Component
from incidents.models.pages import Page
from incidents.models.states import ComponentStatus, Status
from incidents.visibility import Viewer

if TYPE_CHECKING:
    from incidents.models.incidents import IncidentQuerySet


class IncidentUpdateQuerySet(models.QuerySet["IncidentUpdate"]):
    def of_page(self, page: Page) -> IncidentUpdateQuerySet:
        return self.filter(incident__page=page).select_related("incident")

    def with_public_ids(self, public_ids: Collection[str]) -> IncidentUpdateQuerySet:
        return self.filter(public_id__in=public_ids).select_related("incident")

    def of_incidents(self, incidents: IncidentQuerySet) -> IncidentUpdateQuerySet:
        return self.filter(incident__in=incidents)

    def oldest_first(self) -> IncidentUpdateQuerySet:
        return self.order_by("display_at", "pk")

    def newest_first(self) -> IncidentUpdateQuerySet:
        return self.order_by("-display_at", "-pk")


class IncidentUpdate(models.Model):
    """`created_at` is when it was written, `display_at` the time that it shows."""

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    incident = models.ForeignKey("incidents.Incident", models.CASCADE, related_name="updates")
    status = models.CharField(max_length=16, choices=Status)
    repeats_status = models.BooleanField(default=False)
    body = models.TextField()
    body_html = models.TextField()
    display_at = models.DateTimeField()
    notify = models.BooleanField(default=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    submission_key = models.CharField(max_length=64, null=True, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = IncidentUpdateQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["incident", "-display_at"], name="update_newest")]

    def __str__(self) -> str:
        return f"{self.label}: {self.body[:60]}"

    @property
    def label(self) -> str:
        """The status word, or `Update` when the status stayed the same (contract section 2.1)."""
        return "Update" if self.repeats_status else Status(self.status).label


def timeline() -> models.Prefetch[Any]:
    """Prefetch updates, newest first, with their components: two queries for any number of incidents."""
    affected = AffectedComponent.objects.select_related("component__group").order_by("pk")
    updates = IncidentUpdate.objects.newest_first().prefetch_related(models.Prefetch("affected", affected))
    return models.Prefetch("updates", updates)


class AffectedComponentQuerySet(models.QuerySet["AffectedComponent"]):
    def holders(self, incidents: IncidentQuerySet) -> list[tuple[int, str, bool]]:
        """What `incidents` name: the component's primary key, their kind, and whether they set its status."""
        affected = self.filter(update__incident__in=incidents).order_by()
        columns = ("component_id", "update__incident__kind", "update__incident__set_components")
        return list(affected.values_list(*columns).distinct())

    def pairs(self, incidents: IncidentQuerySet, components: Iterable[Component]) -> Iterable[tuple[int, int]]:
        """Which of `components` which of `incidents` named: their primary keys."""
        affected = self.filter(update__incident__in=incidents, component__in=[component.pk for component in components])
        return affected.order_by().values_list("component_id", "update__incident_id").distinct()

    def unrestored(self, page: Page, *, since: datetime) -> AffectedComponentQuerySet:
        """Of incidents resolved `since` then: components in trouble that none goes on with. The last resolved first."""
        affected = self.filter(
            update__incident__in=page.incidents.incidents().visible_to(Viewer.PUBLIC).ended(),
            update__incident__resolved_at__gte=since,
            component__in=page.components.not_operational(),
            component__intervals__superseded_at__isnull=True,
            component__intervals__ended_at__isnull=True,
            component__intervals__started_at__lte=models.F("update__incident__resolved_at"),
        ).exclude(component__in=Component.objects.affected_by_any(page.incidents.ongoing()))
        return affected.select_related("component__group", "update__incident").order_by(
            "-update__incident__resolved_at"
        )


class AffectedComponent(models.Model):
    update = models.ForeignKey(IncidentUpdate, models.CASCADE, related_name="affected")
    component = models.ForeignKey(Component, models.PROTECT, related_name="affected")
    old_status = models.CharField(max_length=24, choices=ComponentStatus)
    new_status = models.CharField(max_length=24, choices=ComponentStatus)

    objects = AffectedComponentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["update", "component"], name="affected_once_per_update")]
