"""Putting back templates and metrics, as `restoring` does the rest."""

from __future__ import annotations

from django.db import transaction

from incidents.models import IncidentTemplate, Metric, MetricPoint, MetricsProvider, Page
from incidents.transfer.records import Result
from incidents.transfer.restore import MADE, Raw, components_of, once
from incidents.transfer.serialization import read

BATCH = 500


@transaction.atomic
def restore_incident_template(page: Page, raw: Raw) -> Result:
    if here := once(IncidentTemplate, page, raw):
        return here
    incident_template = IncidentTemplate.objects.create(page=page, **read(IncidentTemplate, raw))
    incident_template.components.set(components_of(page, raw["components"]).values())
    return MADE


@transaction.atomic
def restore_provider(page: Page, raw: Raw) -> Result:
    if here := once(MetricsProvider, page, raw):
        return here
    MetricsProvider.objects.create(page=page, **read(MetricsProvider, raw))
    return MADE


@transaction.atomic
def restore_metric(page: Page, raw: Raw) -> Result:
    if here := once(Metric, page, raw):
        return here
    provider = page.metrics_providers.get(public_id=raw["provider"]) if raw["provider"] else None
    metric = Metric.objects.create(page=page, provider=provider, **read(Metric, raw))
    points = (read(MetricPoint, {"at": at, "value": value}) for at, value in raw["points"])
    MetricPoint.objects.bulk_create((MetricPoint(metric=metric, **point) for point in points), batch_size=BATCH)
    return MADE
