from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import models
from django.utils import timezone

from incidents.models.components import Component
from incidents.models.incidents import IncidentQuerySet
from incidents.models.states import IMPAIRED, ComponentStatus
from incidents.models.updates import IncidentUpdate

Span = tuple[int, str, datetime, datetime | None]


class StatusIntervalQuerySet(models.QuerySet["StatusInterval"]):
    def as_corrected(self) -> StatusIntervalQuerySet:
        """The history as known now: rows that no later correction replaced."""
        return self.filter(superseded_at__isnull=True)

    def impaired(self) -> StatusIntervalQuerySet:
        """Degraded performance and outages: neither operational nor under maintenance."""
        return self.filter(status__in=IMPAIRED)

    def caused_by(self, incidents: IncidentQuerySet) -> StatusIntervalQuerySet:
        """Rows that an update of `incidents` began."""
        return self.filter(update__incident__in=incidents)

    def of_components(self, components: Iterable[Component]) -> StatusIntervalQuerySet:
        return self.filter(component__in=[component.pk for component in components])

    def as_reported(self, at: datetime) -> StatusIntervalQuerySet:
        """What was on record at `at`: written by then, and not yet replaced."""
        return self.filter(models.Q(superseded_at__isnull=True) | models.Q(superseded_at__gt=at), recorded_at__lte=at)

    def overlapping(self, start: datetime, end: datetime) -> StatusIntervalQuerySet:
        """Rows that hold at any moment from `start` to `end`, which is not included."""
        return self.filter(models.Q(ended_at__isnull=True) | models.Q(ended_at__gt=start), started_at__lt=end)

    def covering(self, components: Iterable[Component], start: datetime, end: datetime) -> StatusIntervalQuerySet:
        """The rows of `components` that touch the time from `start` to `end`, in no order, in one query.

        A history has no gaps, so these are the rows that begin inside and the last one that began before: both are
        found by index, and the cost grows with the window, not with the history. A union: nothing can be filtered on
        top. Call it last, on `as_corrected()` or `as_reported(at)`.
        """
        component_pks = [component.pk for component in components]
        held = self.filter(component=models.OuterRef("pk"), started_at__lte=start).order_by("-started_at")
        at_start = Component.objects.filter(pk__in=component_pks).values_list(models.Subquery(held.values("pk")[:1]))
        inside = self.filter(component__in=component_pks, started_at__gt=start, started_at__lt=end)
        return self.filter(pk__in=at_start).union(inside, all=True)

    def with_incidents(self) -> StatusIntervalQuerySet:
        """With the update that began each, and its incident."""
        return self.select_related("update__incident")

    def spans(self) -> list[Span]:
        """Component, status, start and end of each row: what `uptime.by_component` takes."""
        return list(self.values_list("component_id", "status", "started_at", "ended_at"))


class StatusInterval(models.Model):
    """A component had `status` from `started_at` to `ended_at` (open if null): the truth that uptime is computed from.

    Append-only: a change or correction stamps the rows it replaces with `superseded_at` and adds new ones, so that
    "as reported then" and "as corrected" can both be recomputed.
    """

    component = models.ForeignKey(Component, models.CASCADE, related_name="intervals")
    status = models.CharField(max_length=24, choices=ComponentStatus)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    update = models.ForeignKey(IncidentUpdate, models.SET_NULL, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField(default=timezone.now)
    superseded_at = models.DateTimeField(null=True, blank=True)

    objects = StatusIntervalQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["component", "started_at"], condition=models.Q(superseded_at__isnull=True), name="interval_live"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gt=models.F("started_at")),
                name="interval_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.component_id}: {self.status} from {self.started_at}"
