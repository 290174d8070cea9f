"""Restore metrics, their points and their providers from an export."""

from __future__ import annotations

from django.db import transaction

from incidents.models import Metric, MetricPoint, MetricsProvider, Page
from incidents.transfer._restore import BATCH, CREATED, Raw, create, existing
from incidents.transfer.records import ImportResult
from incidents.transfer.serialization import read


@transaction.atomic
def restore_provider(page: Page, raw: Raw) -> ImportResult:
    return existing(MetricsProvider, page, raw) or create(MetricsProvider, page=page, **read(MetricsProvider, raw))


@transaction.atomic
def restore_metric(page: Page, raw: Raw) -> ImportResult:
    if result := existing(Metric, page, raw):
        return result
    provider = page.metrics_providers.get(public_id=raw["provider"]) if raw["provider"] else None
    metric = Metric.objects.create(page=page, provider=provider, **read(Metric, raw))
    points = (read(MetricPoint, {"at": at, "value": value}) for at, value in raw["points"])
    MetricPoint.objects.bulk_create((MetricPoint(metric=metric, **point) for point in points), batch_size=BATCH)
    return CREATED
