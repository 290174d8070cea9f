"""Restore status histories from an export."""

from __future__ import annotations

from django.db import transaction

from incidents.models import IncidentUpdate, Page, StatusInterval
from incidents.transfer._restore import BATCH, CREATED, UNCHANGED, Raw, batches
from incidents.transfer.records import ImportResult
from incidents.transfer.serialization import read


@transaction.atomic
def restore_status_history(page: Page, raw: Raw) -> ImportResult:
    """Restore all intervals of a component, or none if it has any already."""
    component = page.components.get(public_id=raw["component"])
    if component.intervals.exists():
        return UNCHANGED
    updates: dict[str, int] = {}
    for public_ids in batches(item["update"] for item in raw["intervals"] if item["update"]):
        rows = IncidentUpdate.objects.filter(incident__page=page, public_id__in=public_ids)
        updates.update(rows.values_list("public_id", "pk"))
    StatusInterval.objects.bulk_create(
        (
            StatusInterval(component=component, update_id=updates.get(item["update"]), **read(StatusInterval, item))
            for item in raw["intervals"]
        ),
        batch_size=BATCH,
    )
    return CREATED
