"""Putting back what is only ever added to: status histories and the audit log. Each comes whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction

from incidents.models import AuditEntry, IncidentUpdate, Page, StatusInterval
from incidents.transfer.import_pages import IMPORTED
from incidents.transfer.records import Outcome, Result
from incidents.transfer.serialization import read

Raw = Mapping[str, Any]
BATCH = 500

_Row = TypeVar("_Row")


@transaction.atomic
def restore_history(page: Page, raw: Raw) -> Result:
    """All intervals of a component, or, if it has any already, none."""
    component = page.components.get(public_id=raw["component"])
    if component.intervals.exists():
        return Result(Outcome.UNCHANGED)
    codes = [one["update"] for one in raw["intervals"] if one["update"]]
    updates: dict[str, int] = {}
    for some in _batches(codes):
        found = IncidentUpdate.objects.filter(incident__page=page, public_id__in=some)
        updates.update(found.values_list("public_id", "pk"))
    StatusInterval.objects.bulk_create(
        (
            StatusInterval(component=component, update_id=updates.get(one["update"]), **read(StatusInterval, one))
            for one in raw["intervals"]
        ),
        batch_size=BATCH,
    )
    return Result(Outcome.CREATED)


@transaction.atomic
def restore_audit(page: Page, rows: Iterable[Raw]) -> tuple[int, bool]:
    """All entries, or, if somebody has done anything on this page here, none: two logs are not mixed.

    How many there are, and whether they were written.
    """
    is_free = not page.audit_entries.exclude(verb=IMPORTED, actor_ref="import").exists()
    count = 0
    for some in _batches(rows):
        count += len(some)
        if is_free:
            AuditEntry.objects.bulk_create(AuditEntry(page=page, **read(AuditEntry, one)) for one in some)
    return count, is_free


def _batches(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    left = iter(rows)
    while some := list(islice(left, BATCH)):
        yield some
