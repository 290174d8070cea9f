"""Import component groups and components. No notifications are sent.

Rows are matched by public id, so that an import can be repeated. A change made here is kept until the other product
reports a newer one. With `dry`, nothing is written.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any, TypeVar

from django.db import transaction

from incidents import clock
from incidents.actions.components import status_history
from incidents.models import Component, ComponentGroup, Page
from incidents.models.states import ComponentStatus
from incidents.transfer.comparison import differences, is_newer_here, without_none
from incidents.transfer.records import ImportOutcome, ImportResult, IncomingComponent, IncomingGroup

_Row = TypeVar("_Row", Component, ComponentGroup)


@transaction.atomic
def upsert_group(page: Page, incoming: IncomingGroup, *, dry: bool = False) -> ImportResult:
    fields = {"name": incoming.name[:255], "position": incoming.position}
    return _upsert(page, ComponentGroup, incoming, fields | without_none(description=incoming.description), dry=dry)


@transaction.atomic
def upsert_component(page: Page, incoming: IncomingComponent, *, dry: bool = False) -> ImportResult:
    """Create or update a component.

    The status history of a new one begins on its start date, or when it was created. `rebuild_status_history` adds
    the rest.
    """
    fields = {"name": incoming.name[:255], "position": incoming.position, "status": incoming.status}
    fields |= {"group": page.groups.filter(public_id=incoming.group).first() if incoming.group else None}
    fields |= without_none(
        description=incoming.description,
        only_show_if_degraded=incoming.only_show_if_degraded,
        showcase=incoming.showcase,
        start_date=incoming.start_date,
    )
    result = _upsert(page, Component, incoming, fields, dry=dry)
    if result.outcome == ImportOutcome.CREATED and not dry:
        _begin_history(Component.objects.get(public_id=incoming.public_id), incoming)
    return result


@transaction.atomic
def upsert_former_component(page: Page, *, public_id: str, name: str, seen_at: datetime) -> Component:
    """Create an archived component: the other product has deleted it, but old incidents refer to it."""
    component = Component.objects.create(
        page=page,
        public_id=public_id,
        name=name[:255],
        showcase=False,
        archived_at=clock.now(),
        created_at=seen_at,
        updated_at=seen_at,
    )
    status_history.begin_history(component, at=seen_at)
    return component


def _upsert(
    page: Page, model: type[_Row], incoming: IncomingGroup | IncomingComponent, fields: dict[str, Any], *, dry: bool
) -> ImportResult:
    row = model._default_manager.filter(public_id=incoming.public_id).select_related("page").first()
    if row is None:
        if not dry:
            times = without_none(created_at=incoming.created_at, updated_at=incoming.updated_at)
            model._default_manager.create(page=page, public_id=incoming.public_id, **fields, **times)
        return ImportResult(ImportOutcome.CREATED)
    if row.page_id != page.pk:
        return ImportResult(ImportOutcome.SKIPPED, (f"the page “{row.page}” uses its ID {incoming.public_id}",))
    changes = differences(row, fields)
    if not changes or is_newer_here(row.updated_at, incoming.updated_at):
        return ImportResult(ImportOutcome.UNCHANGED)
    if not dry:
        changes["updated_at"] = incoming.updated_at or clock.now()
        model._default_manager.filter(pk=row.pk).update(**changes)
    return ImportResult(ImportOutcome.CHANGED)


def _begin_history(component: Component, incoming: IncomingComponent) -> None:
    """Begin as operational. `rebuild_status_history` adds the present status if it is a different one."""
    began = component.created_at
    if incoming.start_date:
        began = min(began, datetime.combine(incoming.start_date, time(), tzinfo=component.page.zone).astimezone(UTC))
    began = min(began, clock.now())
    status_history.begin_history(Component(pk=component.pk, status=ComponentStatus.OPERATIONAL), at=began)
