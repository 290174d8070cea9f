"""Finish an import: rebuild the status histories and record the import in the audit log."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max

from incidents import clock
from incidents.actor import Actor
from incidents.models import AffectedComponent, AuditEntry, Event, EventKind, Page
from incidents.transfer.import_status_history import rebuild_status_history

IMPORTED = "page.imported"


def finish_import(page: Page, *, source: str, details: dict[str, Any], is_changed: bool) -> None:
    """Rebuild the status histories from the imported updates and record the import, unless nothing was changed.

    `details` go into the audit log, `is_changed` tells whether the import has created or changed rows.
    """
    newest = newest_affected(page)
    is_rebuilt = rebuild_status_history(page, after=_newest_of_last_import(page))
    if is_rebuilt or is_changed:
        record_import(page, source=source, details=details | {"folded": newest})


@transaction.atomic
def record_import(page: Page, *, source: str, details: dict[str, Any]) -> None:
    """Write one audit entry, and one event without notifications, so that the page is published again."""
    actor = Actor("system", "import", f"Import from {source}"[:200])
    now = clock.now()
    AuditEntry.objects.create(
        page=page,
        actor_kind=actor.kind,
        actor_ref=actor.ref,
        actor_label=actor.label,
        verb=IMPORTED,
        object_type="page",
        object_ref=page.public_id,
        details=details,
    )
    Page.objects.filter(pk=page.pk).update(updated_at=now)
    Event.objects.create(page=page, kind=EventKind.PAGE_CHANGED, notify=False, created_at=now, fanned_out_at=now)


def newest_affected(page: Page) -> int:
    """Return the key of the page's newest affected component; 0 without one."""
    rows = AffectedComponent.objects.filter(update__incident__page=page)
    return rows.aggregate(newest=Max("pk"))["newest"] or 0


def _newest_of_last_import(page: Page) -> int:
    """Return the key of the newest affected component when the last import finished; 0 without one."""
    last = AuditEntry.objects.filter(page=page, verb=IMPORTED).order_by("-pk").first()
    return int(last.details.get("folded", 0)) if last else 0
