from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from incidents.models.base import new_public_id
from incidents.models.components import Component
from incidents.models.pages import Page
from incidents.models.states import ENDED, UNRESOLVED, ComponentStatus, Impact, Kind, Status
from incidents.visibility import Viewer


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, viewer: Viewer) -> IncidentQuerySet:
        return self if viewer is Viewer.STAFF else self.filter(hidden_at__isnull=True)

    def incidents(self) -> IncidentQuerySet:
        return self.filter(kind=Kind.INCIDENT)

    def unresolved(self) -> IncidentQuerySet:
        return self.filter(status__in=UNRESOLVED)

    def ended(self) -> IncidentQuerySet:
        return self.filter(status__in=ENDED)

    def last_updated_since(self, moment: datetime) -> IncidentQuerySet:
        return self.filter(last_update_at__gte=moment)

    def started_between(self, start: datetime, end: datetime) -> IncidentQuerySet:
        """`start` included, `end` not."""
        return self.filter(started_at__gte=start, started_at__lt=end)

    def first_start(self) -> datetime | None:
        """When the oldest of them began."""
        first: datetime | None = self.aggregate(first=models.Min("started_at"))["first"]
        return first

    def naming(self, component: Component) -> IncidentQuerySet:
        return self.filter(updates__affected__component=component).distinct()

    def under_way(self, start: datetime, end: datetime) -> IncidentQuerySet:
        """Those that had begun and not ended at any moment from `start` to `end`; not what is only scheduled."""
        going_on = models.Q(resolved_at__isnull=True) | models.Q(resolved_at__gt=start)
        return self.filter(going_on, started_at__lt=end).exclude(status=Status.SCHEDULED)

    def newest_first(self) -> IncidentQuerySet:
        return self.order_by("-last_update_at", "-pk")

    def with_timeline(self) -> IncidentQuerySet:
        """Updates newest first, the components they touch and what was revised: four queries, however many rows."""
        updates = IncidentUpdate.objects.newest_first().prefetch_related(
            models.Prefetch("affected", AffectedComponent.objects.select_related("component__group").order_by("pk")),
        )
        return self.select_related("postmortem").prefetch_related(models.Prefetch("updates", updates))


class Incident(models.Model):
    """An incident or a maintenance: one model, one timeline.

    `started_at` is the display time of the first update, `last_update_at` of the newest: what history is sorted by.
    `impact_started_at` is when staff say that the impact began, if that was earlier: what analytics count from.
    `version` counts every change; a save that carries an older one is a conflict.
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="incidents")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.INCIDENT)
    title = models.CharField(max_length=255)
    status = models.CharField(max_length=16, choices=Status)
    impact = models.CharField(max_length=12, choices=Impact, default=Impact.NONE)
    impact_override = models.CharField(max_length=12, choices=Impact, blank=True)
    started_at = models.DateTimeField()
    impact_started_at = models.DateTimeField(null=True, blank=True)
    monitoring_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    last_update_at = models.DateTimeField()
    scheduled_for = models.DateTimeField(null=True, blank=True)
    scheduled_until = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    submission_key = models.CharField(max_length=64, null=True, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["page", "-last_update_at"], name="incident_newest"),
            models.Index(fields=["page", "-started_at"], name="incident_by_start"),
            models.Index(fields=["page"], condition=models.Q(status__in=UNRESOLVED), name="incident_unresolved"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind=Kind.INCIDENT)
                | models.Q(scheduled_for__isnull=False, scheduled_until__isnull=False),
                name="maintenance_has_a_window",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_resolved(self) -> bool:
        return self.status in ENDED

    @property
    def duration(self) -> timedelta | None:
        """From start to resolution; None while it goes on."""
        return self.resolved_at - self.started_at if self.resolved_at else None

    def affected_components(self) -> list[Component]:
        """Every component that an update named, once, in page order. Reads the prefetched timeline if there is one."""
        found = {row.component_id: row.component for update in self.updates.all() for row in update.affected.all()}
        return sorted(found.values(), key=lambda c: (c.group.position if c.group else c.position, c.position, c.pk))


class IncidentUpdateQuerySet(models.QuerySet["IncidentUpdate"]):
    def of_page(self, page: Page) -> IncidentUpdateQuerySet:
        return self.filter(incident__page=page).select_related("incident")

    def of_incidents(self, incidents: IncidentQuerySet) -> IncidentUpdateQuerySet:
        return self.filter(incident__in=incidents)

    def oldest_first(self) -> IncidentUpdateQuerySet:
        return self.order_by("display_at", "pk")

    def newest_first(self) -> IncidentUpdateQuerySet:
        return self.order_by("-display_at", "-pk")


class IncidentUpdate(models.Model):
    """`created_at` is when it was written, `display_at` when it says it happened."""

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="updates")
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
        return "Update" if self.repeats_status else self.get_status_display()


class AffectedComponentQuerySet(models.QuerySet["AffectedComponent"]):
    def pairs(self, incidents: IncidentQuerySet, components: Iterable[Component]) -> Iterable[tuple[int, int]]:
        """Which of `components` which of `incidents` named: their primary keys."""
        named = self.filter(update__incident__in=incidents, component__in=[one.pk for one in components])
        return named.order_by().values_list("component_id", "update__incident_id").distinct()


class AffectedComponent(models.Model):
    update = models.ForeignKey(IncidentUpdate, models.CASCADE, related_name="affected")
    component = models.ForeignKey(Component, models.PROTECT, related_name="affected")
    old_status = models.CharField(max_length=24, choices=ComponentStatus)
    new_status = models.CharField(max_length=24, choices=ComponentStatus)

    objects = AffectedComponentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["update", "component"], name="affected_once_per_update")]
