"""Moving in: incidents and maintenances with their whole timelines, one transaction each. Nobody is told.

Component statuses and their history are not touched here: `importing_history` folds them in when all is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.utils import timezone

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
from incidents.transfer.import_columns import columns_of, written_at
from incidents.transfer.import_pages import differing, is_changed_here, upsert_former_component
from incidents.transfer.import_texts import EDITED_BY, Text, has_newer_postmortem, keep_text, upsert_postmortem
from incidents.transfer.records import IncomingChange, IncomingIncident, IncomingUpdate, Outcome, Result, public_id_for

# What the other product does not tell happens there, and here when it is imported; not by itself.
UNTOLD_SWITCHES = {"auto_start": False, "auto_complete": False}


class IncidentImporter:
    """Brings incidents to one page, and knows its components by their codes."""

    def __init__(self, page: Page, *, dry: bool = False) -> None:
        self.page = page
        self.dry = dry
        self._components = {} if dry and page.pk is None else {one.public_id: one for one in page.components.all()}

    def bring(self, incoming: IncomingIncident) -> Result:
        """Create it, or bring what is new in it. Skipped, with the reason, if it cannot be kept at all."""
        if not incoming.updates:
            return Result(Outcome.SKIPPED, ("it has no updates",))
        incident = Incident.objects.filter(public_id=incoming.code).select_related("page").first()
        if incident and incident.page_id != self.page.pk:
            return Result(Outcome.SKIPPED, (f"its code is in use on the page “{incident.page}”",))
        told, notes = _in_order(incoming, _codes_elsewhere(incoming))
        if incident is None:
            return self._create(told, notes)
        return self._bring_news(incident, told, notes)

    def _create(self, told: IncomingIncident, notes: list[str]) -> Result:
        fields = UNTOLD_SWITCHES | columns_of(told)
        texts = [keep_text(update.body, notes) for update in told.updates]
        if not self.dry:
            with transaction.atomic():
                incident = Incident.objects.create(
                    page=self.page,
                    public_id=told.code,
                    last_update_at=told.updates[-1].display_at,
                    updated_at=told.updated_at or told.updates[-1].display_at,
                    **fields,
                )
                rows = IncidentUpdate.objects.bulk_create(
                    _update_row(incident, one, text) for one, text in zip(told.updates, texts, strict=True)
                )
                _mark_repeats(incident, rows)
                self._say_affected(rows, told)
                _remind(incident, told.remind)
                upsert_postmortem(incident, told, notes)
        return Result(Outcome.CREATED, tuple(notes))

    def _bring_news(self, incident: Incident, told: IncomingIncident, notes: list[str]) -> Result:
        here = {row.public_id: row for row in incident.updates.prefetch_related("affected")}
        new = [one for one in told.updates if one.code not in here]
        if told.is_guessed:
            new = [one for one in new if not any(_is_same(row, one) for row in here.values())]
        known = [(here[one.code], one) for one in told.updates if one.code in here]
        changed = [(row, one) for row, one in known if _is_edited(row, one)]
        unnamed = [(row, one) for row, one in known if _names_more(row, one)]
        columns = {} if is_changed_here(incident.updated_at, written_at(told)) else _news_of(incident, told)
        has_text = has_newer_postmortem(incident, told)
        if not (new or changed or unnamed or columns or has_text):
            return Result(Outcome.UNCHANGED)
        if self.dry:
            return Result(Outcome.CHANGED)
        with transaction.atomic():
            rows = IncidentUpdate.objects.bulk_create(
                _update_row(incident, one, keep_text(one.body, notes)) for one in new
            )
            for row, one in changed:
                _edit(row, one, notes)
            self._say_affected([*rows, *(row for row, _ in unnamed)], replace(told, named=()))
            _move(incident, columns, told)
            _remind(incident, told.remind)
            if has_text:
                upsert_postmortem(incident, told, notes)
        return Result(Outcome.CHANGED, tuple(notes))

    def _say_affected(self, rows: Collection[IncidentUpdate], told: IncomingIncident) -> None:
        by_code = {one.code: one for one in told.updates}
        had: dict[str, str] = {}
        affected = []
        for row in sorted(rows, key=lambda row: row.display_at):
            for change in _once_each(by_code[row.public_id].changes):
                old = change.old_status or had.get(change.component, ComponentStatus.OPERATIONAL)
                had[change.component] = change.new_status
                affected.append(self._affected(row, change, old))
        if rows:
            first = min(rows, key=lambda row: row.display_at)
            unsaid = [change for change in _once_each(told.named) if change.component not in had]
            affected += [self._affected(first, change, change.new_status) for change in unsaid]
        AffectedComponent.objects.bulk_create(affected)

    def _affected(self, row: IncidentUpdate, change: IncomingChange, old: str) -> AffectedComponent:
        component = self._components.get(change.component)
        if component is None:
            component = self._find(change, row.display_at)
        return AffectedComponent(update=row, component=component, old_status=old, new_status=change.new_status)

    def _find(self, change: IncomingChange, seen_at: datetime) -> Component:
        code = change.component
        taken = Component.objects.filter(public_id=code).exclude(page=self.page).exists()
        code = public_id_for(self.page.public_id, code) if taken else code
        found = self.page.components.filter(public_id=code).first()
        found = found or upsert_former_component(self.page, code=code, name=change.name or code, seen_at=seen_at)
        self._components[change.component] = found
        return found


def _codes_elsewhere(incoming: IncomingIncident) -> set[str]:
    codes = [one.code for one in incoming.updates]
    taken = IncidentUpdate.objects.filter(public_id__in=codes).exclude(incident__public_id=incoming.code)
    return set(taken.values_list("public_id", flat=True))


def _in_order(incoming: IncomingIncident, elsewhere: Collection[str]) -> tuple[IncomingIncident, list[str]]:
    """Updates oldest first, each code once and nobody else's."""
    notes = []
    updates: dict[str, IncomingUpdate] = {}
    for one in sorted(incoming.updates, key=lambda one: one.display_at):
        if one.code in updates:
            notes.append(f"the update {one.code} came twice; the later one was left out")
            continue
        updates[one.code] = one
        if one.code in elsewhere:
            updates[one.code] = replace(one, code=public_id_for(incoming.code, one.code))
            notes.append(f"the update {one.code} has a new code: another incident has one of that code")
    return replace(incoming, updates=tuple(updates.values())), notes


def _update_row(incident: Incident, one: IncomingUpdate, text: Text) -> IncidentUpdate:
    created_at = one.created_at or one.display_at
    return IncidentUpdate(
        incident=incident,
        public_id=one.code,
        status=one.status,
        body=text.body,
        body_html=text.html,
        display_at=one.display_at,
        notify=one.notify,
        created_at=created_at,
        updated_at=one.updated_at or created_at,
    )


def _mark_repeats(incident: Incident, rows: Iterable[IncidentUpdate]) -> None:
    ordered = sorted(rows, key=lambda row: row.display_at)
    same = [later.pk for earlier, later in pairwise(ordered) if earlier.status == later.status]
    if same:
        incident.updates.filter(pk__in=same).update(repeats_status=True)


def _once_each(changes: Iterable[IncomingChange]) -> Iterable[IncomingChange]:
    return {change.component: change for change in changes}.values()


def _remind(incident: Incident, minutes: Iterable[int]) -> None:
    """Only of what is still to come: those of the past were the other product's to send."""
    if incident.status not in UPCOMING or incident.scheduled_for is None:
        return
    start = incident.scheduled_for
    MaintenanceReminder.objects.bulk_create(
        (
            MaintenanceReminder(incident=incident, minutes_before=lead, due_at=start - timedelta(minutes=lead))
            for lead in minutes
            if start - timedelta(minutes=lead) > timezone.now()
        ),
        ignore_conflicts=True,
    )


def _is_edited(row: IncidentUpdate, one: IncomingUpdate) -> bool:
    if is_changed_here(row.updated_at, one.updated_at or one.created_at or one.display_at):
        return False
    return row.body != keep_text(one.body, []).body or bool(
        differing(row, {"status": one.status, "display_at": one.display_at})
    )


def _is_same(row: IncidentUpdate, one: IncomingUpdate) -> bool:
    return not differing(row, {"status": one.status, "display_at": one.display_at})


def _news_of(incident: Incident, told: IncomingIncident) -> dict[str, Any]:
    """A page for people says less than what is here already may know: of windows, for one."""
    columns = columns_of(told)
    steps = ("status", "resolved_at")
    return differing(incident, {name: columns[name] for name in steps} if told.is_guessed else columns)


def _names_more(row: IncidentUpdate, one: IncomingUpdate) -> bool:
    """Told without its components the first time, and with them now."""
    return bool(one.changes) and not row.affected.all()


def _edit(row: IncidentUpdate, one: IncomingUpdate, notes: list[str]) -> None:
    text = keep_text(one.body, notes)
    at = one.updated_at or row.updated_at
    fields: dict[str, Any] = {"status": one.status, "display_at": one.display_at, "updated_at": at}
    if text.body != row.body:
        change = markdown.change_html(row.body, text.body)
        Revision.objects.create(update=row, body=row.body, change_html=change, actor_label=EDITED_BY, created_at=at)
        fields |= {"body": text.body, "body_html": text.html, "edited_at": at}
    IncidentUpdate.objects.filter(pk=row.pk).update(version=row.version + 1, **fields)


def _move(incident: Incident, columns: dict[str, Any], told: IncomingIncident) -> None:
    rows = list(incident.updates.oldest_first())
    again = [later.pk for earlier, later in pairwise(rows) if earlier.status == later.status]
    incident.updates.filter(repeats_status=True).exclude(pk__in=again).update(repeats_status=False)
    incident.updates.filter(repeats_status=False, pk__in=again).update(repeats_status=True)
    columns = columns | {
        "last_update_at": rows[-1].display_at,
        "updated_at": max(incident.updated_at, written_at(told)),
    }
    Incident.objects.filter(pk=incident.pk).update(version=incident.version + 1, **columns)
