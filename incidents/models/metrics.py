"""Metrics that other systems send and a page can show, such as response times."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.utils import timezone

from incidents.models.base import new_public_id
from incidents.models.pages import Page


class MetricsProvider(models.Model):
    """The source of metrics. Candor fetches nothing and stores no keys: all metrics are sent to its API (`Self`)."""

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="metrics_providers")
    kind = models.CharField(max_length=20, default="Self")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} ({self.public_id})"


class MetricQuerySet(models.QuerySet["Metric"]):
    def in_order(self) -> MetricQuerySet:
        """With the time of the newest point of each, in one query."""
        newest = MetricPoint.objects.filter(metric=models.OuterRef("pk")).order_by("-at").values("at")[:1]
        return self.select_related("provider").annotate(newest_at=models.Subquery(newest)).order_by("pk")

    def with_public_id(self, public_id: str) -> MetricQuerySet:
        return self.in_order().filter(public_id=public_id)

    def of_provider(self, provider: MetricsProvider) -> MetricQuerySet:
        return self.filter(provider=provider)

    def with_public_ids(self, public_ids: Collection[str]) -> dict[str, Metric]:
        return {metric.public_id: metric for metric in self.filter(public_id__in=public_ids)}


class Metric(models.Model):
    """A series of numbers. `suffix` is their unit; the bounds of the axis are null where the chart chooses them."""

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="metrics")
    provider = models.ForeignKey(MetricsProvider, models.CASCADE, null=True, blank=True, related_name="metrics")
    name = models.CharField(max_length=255)
    metric_identifier = models.CharField(max_length=255, blank=True)
    description = models.CharField(max_length=1000, blank=True)
    display = models.BooleanField(default=True)
    suffix = models.CharField(max_length=20, blank=True)
    decimal_places = models.PositiveSmallIntegerField(default=0)
    y_axis_min = models.FloatField(null=True, blank=True)
    y_axis_max = models.FloatField(null=True, blank=True)
    y_axis_hidden = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = MetricQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class MetricPoint(models.Model):
    """One number, to the second. A second one for the same second replaces the first."""

    metric = models.ForeignKey(Metric, models.CASCADE, related_name="points", db_index=False)
    at = models.DateTimeField()
    value = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["metric", "at"], name="metric_point_once")]

    def __str__(self) -> str:
        return f"{self.value} at {self.at}"
