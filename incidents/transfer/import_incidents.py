"""Import incidents and maintenances with their updates, each in one transaction. No notifications are sent.

Component statuses and status histories are not changed here: `import_runs.finish_import` does it after all incidents.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import transaction

from incidents import clock
from incidents.models import (
    AffectedComponent,
    Component,
    Incident,
    IncidentUpdate,
    MaintenanceReminder,
    Page,
    Revision,
)
from incidents.models.states import UPCOMING, ComponentStatus
from incidents.text import markdown
from incidents.transfer.comparison import differences, is_newer_here
from incidents.transfer.import_components import upsert_former_component
from incidents.transfer.import_incident_fields import incident_fields, written_at
from incidents.transfer.import_postmortems import has_newer_postmortem, upsert_postmortem
from incidents.transfer.import_texts import EDITED_BY, ImportedText, import_text
from incidents.transfer.records import (
    ImportOutcome,
    ImportResult,
    IncomingChange,
    IncomingIncident,
    IncomingUpdate,
    public_id_for,
)

Components = dict[str, Component]

# Until the other product reports these settings, a maintenance starts and ends only by hand or by another import.
DEFAULT_SWITCHES = {"auto_start": False, "auto_complete": False}


def upsert_incident(
    page: Page, incoming: IncomingIncident, *, components: Components | None = None, dry: bool = False
) -> ImportResult:
    """Create an incident, or add what is new in it.

    `components` caches the components of `page` by public id between calls; former components are added to it.
    """
    if not incoming.updates:
        return ImportResult(ImportOutcome.SKIPPED, ("it has no updates",))
    incident = Incident.objects.filter(public_id=incoming.public_id).select_related("page").first()
    if incident and incident.page_id != page.pk:
        return ImportResult(ImportOutcome.SKIPPED, (f"the page “{incident.page}” uses its ID",))
    incoming, notes = _with_ordered_updates(incoming, _public_ids_of_other_incidents(incoming))
    components = {} if components is None else components
    if incident is None:
        return _create(page, incoming, components, notes, dry=dry)
    return _update(incident, incoming, components, notes, dry=dry)


def _create(
    page: Page, incoming: IncomingIncident, components: Components, notes: list[str], *, dry: bool
) -> ImportResult:
    fields = DEFAULT_SWITCHES | incident_fields(incoming)
    texts = [import_text(update.body, notes) for update in incoming.updates]
    if dry:
        return ImportResult(ImportOutcome.CREATED, tuple(notes))
    with transaction.atomic():
        incident = Incident.objects.create(
            page=page,
            public_id=incoming.public_id,
            last_update_at=incoming.updates[-1].display_at,
            updated_at=incoming.updated_at or incoming.updates[-1].display_at,
            **fields,
        )
        rows = IncidentUpdate.objects.bulk_create(
            _update_row(incident, update, text) for update, text in zip(incoming.updates, texts, strict=True)
        )
        _mark_repeats(incident, rows)
        _create_affected(page, rows, incoming, components)
        _create_reminders(incident, incoming.remind)
        if incoming.postmortem:
            upsert_postmortem(incident, incoming, notes)
    return ImportResult(ImportOutcome.CREATED, tuple(notes))


def _update(
    incident: Incident, incoming: IncomingIncident, components: Components, notes: list[str], *, dry: bool
) -> ImportResult:
    rows_here = {row.public_id: row for row in incident.updates.prefetch_related("affected")}
    new = [update for update in incoming.updates if update.public_id not in rows_here]
    if incoming.is_guessed:
        new = [update for update in new if not any(_is_same(row, update) for row in rows_here.values())]
    known = [(rows_here[update.public_id], update) for update in incoming.updates if update.public_id in rows_here]
    edited = [(row, update) for row, update in known if _is_edited(row, update)]
    without_components = [row for row, update in known if update.changes and not row.affected.all()]
    is_newer = is_newer_here(incident.updated_at, written_at(incoming))
    changes = {} if is_newer else _changed_fields(incident, incoming)
    has_postmortem = has_newer_postmortem(incident, incoming)
    if not (new or edited or without_components or changes or has_postmortem):
        return ImportResult(ImportOutcome.UNCHANGED)
    if dry:
        return ImportResult(ImportOutcome.CHANGED)
    with transaction.atomic():
        rows = IncidentUpdate.objects.bulk_create(
            _update_row(incident, update, import_text(update.body, notes)) for update in new
        )
        for row, update in edited:
            _edit(row, update, notes)
        _create_affected(incident.page, [*rows, *without_components], replace(incoming, named=()), components)
        _save_changes(incident, changes, incoming)
        _create_reminders(incident, incoming.remind)
        if has_postmortem:
            upsert_postmortem(incident, incoming, notes)
    return ImportResult(ImportOutcome.CHANGED, tuple(notes))


def _public_ids_of_other_incidents(incoming: IncomingIncident) -> set[str]:
    public_ids = [update.public_id for update in incoming.updates]
    taken = IncidentUpdate.objects.filter(public_id__in=public_ids).exclude(incident__public_id=incoming.public_id)
    return set(taken.values_list("public_id", flat=True))


def _with_ordered_updates(incoming: IncomingIncident, taken: Collection[str]) -> tuple[IncomingIncident, list[str]]:
    """Return `incoming` with its updates oldest first, each public id once, and none of those `taken`; and notes."""
    notes = []
    updates: dict[str, IncomingUpdate] = {}
    for update in sorted(incoming.updates, key=lambda update: update.display_at):
        if update.public_id in updates:
            notes.append(f"update {update.public_id} appears twice; the later one was left out")
            continue
        updates[update.public_id] = update
        if update.public_id in taken:
            new_id = public_id_for(incoming.public_id, update.public_id)
            updates[update.public_id] = replace(update, public_id=new_id)
            notes.append(f"update {update.public_id} has a new ID, because another incident uses this one")
    return replace(incoming, updates=tuple(updates.values())), notes


def _update_row(incident: Incident, update: IncomingUpdate, text: ImportedText) -> IncidentUpdate:
    created_at = update.created_at or update.display_at
    return IncidentUpdate(
        incident=incident,
        public_id=update.public_id,
        status=update.status,
        body=text.body,
        body_html=text.html,
        display_at=update.display_at,
        notify=update.notify,
        created_at=created_at,
        updated_at=update.updated_at or created_at,
    )


def _mark_repeats(incident: Incident, rows: Iterable[IncidentUpdate]) -> None:
    repeats = _repeats(sorted(rows, key=lambda row: row.display_at))
    if repeats:
        incident.updates.filter(pk__in=repeats).update(repeats_status=True)


def _repeats(rows: Iterable[IncidentUpdate]) -> list[int]:
    """Return the keys of the updates that have the same status as the update before."""
    return [later.pk for earlier, later in pairwise(rows) if earlier.status == later.status]


def _create_affected(
    page: Page, rows: Collection[IncidentUpdate], incoming: IncomingIncident, components: Components
) -> None:
    """Record which component statuses each update changed, and the components that only the incident names."""
    updates = {update.public_id: update for update in incoming.updates}
    statuses: dict[str, str] = {}
    affected = []
    for row in sorted(rows, key=lambda row: row.display_at):
        for change in _last_per_component(updates[row.public_id].changes):
            old_status = change.old_status or statuses.get(change.component, ComponentStatus.OPERATIONAL)
            statuses[change.component] = change.new_status
            component = _component(page, change, row.display_at, components)
            affected.append(_affected_row(row, component, old_status, change.new_status))
    if rows:
        first = min(rows, key=lambda row: row.display_at)
        for change in _last_per_component(incoming.named):
            if change.component not in statuses:
                component = _component(page, change, first.display_at, components)
                affected.append(_affected_row(first, component, change.new_status, change.new_status))
    AffectedComponent.objects.bulk_create(affected)


def _affected_row(row: IncidentUpdate, component: Component, old_status: str, new_status: str) -> AffectedComponent:
    return AffectedComponent(update=row, component=component, old_status=old_status, new_status=new_status)


def _component(page: Page, change: IncomingChange, seen_at: datetime, components: Components) -> Component:
    """Return the changed component. One that the other product has deleted is created as a former component."""
    if change.component in components:
        return components[change.component]
    public_id = change.component
    component = page.components.filter(public_id=public_id).first()
    if component is None and Component.objects.filter(public_id=public_id).exists():
        public_id = public_id_for(page.public_id, public_id)
        component = page.components.filter(public_id=public_id).first()
    if component is None:
        name = change.name or public_id
        component = upsert_former_component(page, public_id=public_id, name=name, seen_at=seen_at)
    components[change.component] = component
    return component


def _last_per_component(changes: Iterable[IncomingChange]) -> Iterable[IncomingChange]:
    return {change.component: change for change in changes}.values()


def _create_reminders(incident: Incident, minutes: Iterable[int]) -> None:
    """Create the future reminders of a scheduled maintenance. The other product has sent the past ones."""
    if incident.status not in UPCOMING or incident.scheduled_for is None:
        return
    start = incident.scheduled_for
    MaintenanceReminder.objects.bulk_create(
        (
            MaintenanceReminder(incident=incident, minutes_before=lead, due_at=start - timedelta(minutes=lead))
            for lead in minutes
            if start - timedelta(minutes=lead) > clock.now()
        ),
        ignore_conflicts=True,
    )


def _is_edited(row: IncidentUpdate, update: IncomingUpdate) -> bool:
    if is_newer_here(row.updated_at, update.updated_at or update.created_at or update.display_at):
        return False
    return row.body != import_text(update.body, []).body or not _is_same(row, update)


def _is_same(row: IncidentUpdate, update: IncomingUpdate) -> bool:
    return not differences(row, {"status": update.status, "display_at": update.display_at})


def _changed_fields(incident: Incident, incoming: IncomingIncident) -> dict[str, Any]:
    """Return the changed columns. A record that was read from a web page lacks most of them, for example the window."""
    fields = incident_fields(incoming)
    reliable = ("status", "resolved_at")
    return differences(incident, {name: fields[name] for name in reliable} if incoming.is_guessed else fields)


def _edit(row: IncidentUpdate, update: IncomingUpdate, notes: list[str]) -> None:
    text = import_text(update.body, notes)
    at = update.updated_at or row.updated_at
    fields: dict[str, Any] = {"status": update.status, "display_at": update.display_at, "updated_at": at}
    if text.body != row.body:
        change = markdown.change_html(row.body, text.body)
        Revision.objects.create(update=row, body=row.body, change_html=change, actor_label=EDITED_BY, created_at=at)
        fields |= {"body": text.body, "body_html": text.html, "edited_at": at}
    IncidentUpdate.objects.filter(pk=row.pk).update(version=row.version + 1, **fields)


def _save_changes(incident: Incident, changes: dict[str, Any], incoming: IncomingIncident) -> None:
    rows = list(incident.updates.oldest_first())
    repeats = _repeats(rows)
    incident.updates.filter(repeats_status=True).exclude(pk__in=repeats).update(repeats_status=False)
    incident.updates.filter(repeats_status=False, pk__in=repeats).update(repeats_status=True)
    fields = changes | {
        "last_update_at": rows[-1].display_at,
        "updated_at": max(incident.updated_at, written_at(incoming)),
    }
    Incident.objects.filter(pk=incident.pk).update(version=incident.version + 1, **fields)
