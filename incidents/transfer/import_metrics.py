"""Import metrics, without their points."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from incidents.models import Metric, MetricsProvider, Page
from incidents.transfer.comparison import differences, without_none
from incidents.transfer.records import ImportOutcome, ImportResult, IncomingMetric


@transaction.atomic
def upsert_metric(page: Page, incoming: IncomingMetric, *, dry: bool = False) -> ImportResult:
    """Create a metric and its provider. An existing metric is never changed."""
    fields = _fields(incoming)
    metric = Metric.objects.filter(public_id=incoming.public_id).first()
    if metric and metric.page_id != page.pk:
        return ImportResult(ImportOutcome.SKIPPED, (f"the page “{metric.page}” uses its ID",))
    if metric:
        return ImportResult(
            ImportOutcome.UNCHANGED, ("it was changed here and stays so",) if differences(metric, fields) else ()
        )
    provider = MetricsProvider.objects.filter(public_id=incoming.provider).first()
    if provider and provider.page_id != page.pk:
        return ImportResult(ImportOutcome.SKIPPED, (f"the page “{provider.page}” uses the ID of its provider",))
    if not dry:
        if incoming.provider and provider is None:
            provider = MetricsProvider.objects.create(page=page, public_id=incoming.provider)
        times = without_none(created_at=incoming.created_at, updated_at=incoming.updated_at)
        Metric.objects.create(page=page, public_id=incoming.public_id, provider=provider, **fields, **times)
    return ImportResult(ImportOutcome.CREATED)


def _fields(incoming: IncomingMetric) -> dict[str, Any]:
    return {
        "name": incoming.name[:255],
        "metric_identifier": incoming.identifier[:255],
        "description": incoming.description[:1000],
        "display": incoming.display,
        "suffix": incoming.suffix[:20],
        "decimal_places": incoming.decimal_places,
        "y_axis_min": incoming.y_axis_min,
        "y_axis_max": incoming.y_axis_max,
        "y_axis_hidden": incoming.y_axis_hidden,
    }
