"""Backdate the rows of the demo, because actions write the present time, and replace the public ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import F, Max, QuerySet

from incidents.models import (
    ActionItem,
    AuditEntry,
    Component,
    Event,
    EventKind,
    Incident,
    IncidentUpdate,
    MaintenanceReminder,
    MaintenanceSeries,
    Page,
    Postmortem,
    Revision,
    ServiceTarget,
    StatusInterval,
)
from statuspage.importers.demo.schedule import DemoPublication


@dataclass(frozen=True)
class Start:
    """The newest event and audit entry before seeding. All newer ones belong to the demo."""

    event: int
    entry: int

    @classmethod
    def now(cls) -> Start:
        return cls(_newest(Event.objects.all()), _newest(AuditEntry.objects.all()))


def backdate(
    page: Page,
    *,
    since: Start,
    now: datetime,
    publications: Iterable[DemoPublication],
    edits: Mapping[IncidentUpdate, datetime],
) -> None:
    began = _components(page)
    _incidents(page)
    _maintenances(page, now)
    for update, at in edits.items():
        IncidentUpdate.objects.filter(pk=update.pk).update(edited_at=at, updated_at=at)
        Revision.objects.filter(update=update).update(created_at=at)
    for publication in publications:
        _postmortem(page, publication)
    _intervals(page)
    last = _log_entries(page, since, began)
    Page.objects.filter(pk=page.pk).update(created_at=began, updated_at=last)


def _newest(rows: QuerySet[Any]) -> int:
    return rows.aggregate(newest=Max("pk"))["newest"] or 0


def _components(page: Page) -> datetime:
    """Backdate the components. Return when the oldest one began."""
    starts = {component: component.intervals.earliest("started_at").started_at for component in page.components.all()}
    for component, start in starts.items():
        component.created_at = start
        component.updated_at = component.intervals.latest("started_at").started_at
    Component.objects.bulk_update(starts, ["created_at", "updated_at"])
    began = min(starts.values())
    page.groups.update(created_at=began, updated_at=began)
    # Reports show if a target was set after it began to apply; these were not.
    ServiceTarget.objects.of_page(page).update(created_at=began)
    return began


def _incidents(page: Page) -> None:
    page.incidents.update(created_at=F("started_at"), updated_at=F("last_update_at"))
    updates = IncidentUpdate.objects.filter(incident__page=page)
    # Seeding sends no notifications, but the updates appear as if it had.
    updates.update(created_at=F("display_at"), updated_at=F("display_at"), notify=True)


def _maintenances(page: Page, now: datetime) -> None:
    """Mark past reminders as sent, and backdate each series to its first occurrence."""
    past = MaintenanceReminder.objects.filter(incident__page=page, due_at__lte=now)
    past.update(sent_at=F("due_at"), skipped_at=None)
    for series in page.maintenance_series.all():
        created_at = series.occurrences.earliest("started_at").started_at
        MaintenanceSeries.objects.filter(pk=series.pk).update(created_at=created_at, updated_at=created_at)


def _postmortem(page: Page, publication: DemoPublication) -> None:
    postmortem = Postmortem.objects.get(incident__page=page, incident__title=publication.incident.title)
    at = publication.at
    Postmortem.objects.filter(pk=postmortem.pk).update(created_at=at, updated_at=at)
    Incident.objects.filter(pk=postmortem.incident_id).update(updated_at=at)
    for item, text in zip(postmortem.action_items.all(), publication.postmortem.action_items, strict=True):
        ActionItem.objects.filter(pk=item.pk).update(created_at=at, done_at=publication.done_at(text))


def _intervals(page: Page) -> None:
    """Record each interval at its end, an open one at its start, and supersede it when the next one is recorded."""
    rows = list(StatusInterval.objects.filter(component__page=page).order_by("component", "pk"))
    for row in rows:
        row.recorded_at = row.ended_at or row.started_at
    for row, following in pairwise(rows):
        if row.superseded_at:
            row.superseded_at = following.recorded_at
    StatusInterval.objects.bulk_update(rows, ["recorded_at", "superseded_at"], batch_size=100)


def _log_entries(page: Page, since: Start, began: datetime) -> datetime:
    """Backdate the audit entry and the event of each action, and mark the events as fanned out.

    Return the newest of their times.
    """
    entries = list(AuditEntry.objects.filter(page=page, pk__gt=since.entry).order_by("pk"))
    written = Event.objects.filter(page=page, pk__gt=since.event).order_by("pk")
    events = list(written.select_related("update", "postmortem", "incident"))
    at = began
    for entry, event in zip(entries, events, strict=True):
        # An event without a time of its own has that of the one before it.
        at = _moment(event) or at
        entry.created_at = event.created_at = event.fanned_out_at = at
    AuditEntry.objects.bulk_update(entries, ["created_at"], batch_size=100)
    Event.objects.bulk_update(events, ["created_at", "fanned_out_at"], batch_size=100)
    return max(event.created_at for event in events)


def _moment(event: Event) -> datetime | None:
    if event.update:
        return event.update.edited_at if event.kind == EventKind.UPDATE_EDITED else event.update.display_at
    if event.postmortem:
        return event.postmortem.published_at
    return event.incident.started_at if event.incident else None


def replace_public_ids(page: Page, new_id: Callable[[], str]) -> None:
    """Replace the public ids of everything that visitors can link to, also in the audit log."""
    ids: dict[str, str] = {}
    updates = IncidentUpdate.objects.filter(incident__page=page)
    linkable: list[QuerySet[Any]] = [page.groups.all(), page.components.all(), page.incidents.all(), updates]
    linkable.append(page.maintenance_series.all())
    for queryset in linkable:
        rows = list(queryset.order_by("pk"))
        for row in rows:
            ids[row.public_id] = row.public_id = new_id()
        queryset.bulk_update(rows, ["public_id"], batch_size=100)
    entries = list(AuditEntry.objects.filter(page=page, object_ref__in=ids))
    for entry in entries:
        entry.object_ref = ids[entry.object_ref]
    AuditEntry.objects.bulk_update(entries, ["object_ref"], batch_size=100)
