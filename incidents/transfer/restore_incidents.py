"""Restore incidents and recurring maintenances from an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents.models import (
    ActionItem,
    AffectedComponent,
    Component,
    Incident,
    IncidentUpdate,
    MaintenanceReminder,
    MaintenanceSeries,
    Page,
    Postmortem,
    PostmortemComment,
    Revision,
)
from incidents.transfer._restore import CREATED, UNCHANGED, Raw, components_by_public_id, existing
from incidents.transfer.records import ImportResult
from incidents.transfer.serialization import read


@transaction.atomic
def restore_series(page: Page, raw: Raw) -> ImportResult:
    if result := existing(MaintenanceSeries, page, raw):
        return result
    series = MaintenanceSeries.objects.create(page=page, **read(MaintenanceSeries, raw))
    series.components.set(components_by_public_id(page, raw["components"]).values())
    return CREATED


@transaction.atomic
def restore_incident(page: Page, raw: Raw) -> ImportResult:
    if result := existing(Incident, page, raw):
        return result
    if not raw["updates"]:
        raise ValidationError("it has no updates")
    series = page.maintenance_series.get(public_id=raw["series"]) if raw["series"] else None
    incident = Incident.objects.create(page=page, series=series, **read(Incident, raw))
    public_ids = {row["component"] for update in raw["updates"] for row in update["affected"]}
    _restore_updates(incident, raw["updates"], components_by_public_id(page, public_ids))
    if raw["postmortem"]:
        _restore_postmortem(incident, raw["postmortem"])
    MaintenanceReminder.objects.bulk_create(
        MaintenanceReminder(incident=incident, **read(MaintenanceReminder, reminder)) for reminder in raw["reminders"]
    )
    return CREATED


@transaction.atomic
def restore_merged(page: Page, raw: Raw) -> ImportResult:
    """Restore that an incident was merged into another one. Its line comes after both of theirs."""
    into = page.incidents.get(public_id=raw["into"])
    duplicate = page.incidents.get(public_id=raw["public_id"])
    if duplicate.merged_into_id:
        return UNCHANGED
    duplicate.merged_into = into
    duplicate.save(update_fields=["merged_into"])
    return CREATED


def _restore_updates(incident: Incident, raws: Sequence[Raw], components: Mapping[str, Component]) -> None:
    rows = IncidentUpdate.objects.bulk_create(
        IncidentUpdate(incident=incident, **read(IncidentUpdate, raw)) for raw in raws
    )
    pairs = list(zip(rows, raws, strict=True))
    AffectedComponent.objects.bulk_create(
        AffectedComponent(update=row, component=components[item["component"]], **read(AffectedComponent, item))
        for row, raw in pairs
        for item in raw["affected"]
    )
    Revision.objects.bulk_create(
        Revision(update=row, **read(Revision, item)) for row, raw in pairs for item in raw["revisions"]
    )


def _restore_postmortem(incident: Incident, raw: Raw) -> None:
    postmortem = Postmortem.objects.create(incident=incident, **read(Postmortem, raw))
    ActionItem.objects.bulk_create(
        ActionItem(postmortem=postmortem, **read(ActionItem, item)) for item in raw["action_items"]
    )
    PostmortemComment.objects.bulk_create(
        PostmortemComment(postmortem=postmortem, **read(PostmortemComment, item)) for item in raw.get("comments", ())
    )
    Revision.objects.bulk_create(Revision(postmortem=postmortem, **read(Revision, item)) for item in raw["revisions"])
