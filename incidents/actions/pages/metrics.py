"""Metrics and their points. Points are measurements, so adding them is not recorded in the audit log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents import clock
from incidents.actions import checks
from incidents.actions._audit import record
from incidents.actor import Actor
from incidents.models import EventKind, Metric, MetricPoint, MetricsProvider, Page

PROVIDER_KINDS = ("Self",)
MAX_POINTS = 3000
BATCH = 500

Points = Sequence[tuple[datetime, float]]


@transaction.atomic
def create_provider(page: Page, *, kind: str, actor: Actor) -> MetricsProvider:
    provider = MetricsProvider.objects.create(page=page, kind=check_kind(kind))
    record(page, EventKind.METRICS_CHANGED, provider, actor=actor, details={"created": provider.kind})
    return provider


@transaction.atomic
def delete_provider(provider: MetricsProvider, *, actor: Actor) -> None:
    """Its metrics and their points go with it."""
    names = list(provider.metrics.values_list("name", flat=True))
    details = {"deleted": provider.kind, "metrics": names}
    record(provider.page, EventKind.METRICS_CHANGED, provider, actor=actor, details=details)
    provider.delete()


@transaction.atomic
def create_metric(
    page: Page, *, name: str, actor: Actor, provider: MetricsProvider | None = None, **more: Any
) -> Metric:
    """`more`: fields by name. ValidationError names the field."""
    metric = Metric(page=page, provider=provider)
    return _save(metric, "created", actor, {"name": name, **more})


@transaction.atomic
def edit_metric(metric: Metric, *, actor: Actor, **changes: Any) -> Metric:
    return _save(metric, "changed", actor, changes)


@transaction.atomic
def delete_metric(metric: Metric, *, actor: Actor) -> None:
    record(metric.page, EventKind.METRICS_CHANGED, metric, actor=actor, details={"deleted": metric.name})
    metric.delete()


@transaction.atomic
def add_points(points: Mapping[Metric, Points]) -> None:
    """At most MAX_POINTS in all. A point for a second that has one replaces it."""
    count = sum(len(rows) for rows in points.values())
    if count > MAX_POINTS:
        raise ValidationError({"data": f"Send at most {MAX_POINTS} points at once (there are {count})."})
    rows = {(metric.pk, at): value for metric, series in points.items() for at, value in series}
    MetricPoint.objects.bulk_create(
        (MetricPoint(metric_id=metric, at=at, value=value) for (metric, at), value in rows.items()),
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["metric", "at"],
        update_fields=["value"],
    )


@transaction.atomic
def clear_points(metric: Metric, *, actor: Actor) -> None:
    count, _ = metric.points.all().delete()
    record(metric.page, EventKind.METRICS_CHANGED, metric, actor=actor, details={"cleared": count})


def _save(metric: Metric, verb: str, actor: Actor, fields: dict[str, Any]) -> Metric:
    for field, value in fields.items():
        setattr(metric, field, checks.line(value, field="name", what="The name") if field == "name" else value)
    low, high = metric.y_axis_min, metric.y_axis_max
    if low is not None and high is not None and low >= high:
        raise ValidationError({"y_axis_max": "The top of the axis must be greater than its bottom."})
    metric.updated_at = clock.now()
    metric.save()
    record(metric.page, EventKind.METRICS_CHANGED, metric, actor=actor, details={verb: metric.name})
    return metric


def check_kind(kind: str) -> str:
    if kind not in PROVIDER_KINDS:
        message = f"Candor does not fetch metrics from {kind or 'nowhere'}."
        raise ValidationError({"type": f"{message} Create a provider of type Self and send points to it."})
    return kind
