"""Moving in: metrics, without their numbers."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from incidents.models import Metric, MetricsProvider, Page
from incidents.transfer.import_pages import differing
from incidents.transfer.records import IncomingMetric, Outcome, Result


@transaction.atomic
def upsert_metric(page: Page, incoming: IncomingMetric, *, dry: bool = False) -> Result:
    """One that is here already stays as it is here. Its provider, whatever it fetched from, is sent to here."""
    fields = _fields(incoming)
    here = Metric.objects.filter(public_id=incoming.code).first()
    if here and here.page_id != page.pk:
        return Result(Outcome.SKIPPED, (f"its code is in use on the page “{here.page}”",))
    if here:
        return Result(Outcome.UNCHANGED, ("it was changed here, and stays so",) if differing(here, fields) else ())
    provider = MetricsProvider.objects.filter(public_id=incoming.provider).first()
    if provider and provider.page_id != page.pk:
        return Result(Outcome.SKIPPED, (f"its provider's code is in use on the page “{provider.page}”",))
    if not dry:
        if incoming.provider and provider is None:
            provider = MetricsProvider.objects.create(page=page, public_id=incoming.provider)
        times = {"created_at": incoming.created_at, "updated_at": incoming.updated_at}
        told = {name: at for name, at in times.items() if at}
        Metric.objects.create(page=page, public_id=incoming.code, provider=provider, **fields, **told)
    return Result(Outcome.CREATED)


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
