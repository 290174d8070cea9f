"""Moving in: pages, groups and components of another product, as they were there. Nobody is told.

A thing is known by its public id, so a second import finds it again. What staff changed here since wins over what the
other product says, until it says something newer. With `dry`, nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from incidents.actions.components import status_history
from incidents.actor import Actor
from incidents.models import AuditEntry, Component, ComponentGroup, Event, EventKind, Page
from incidents.models.pages import validate_time_zone
from incidents.models.states import ComponentStatus
from incidents.transfer.records import (
    IncomingComponent,
    IncomingGroup,
    IncomingPage,
    Outcome,
    Result,
    is_public_id,
    public_id_for,
)

IMPORTED = "page.imported"
# One API of a product tells times to the second, another to the millisecond.
SAME_MOMENT = timedelta(seconds=1)

_Thing = TypeVar("_Thing", Component, ComponentGroup)


@transaction.atomic
def upsert_page(incoming: IncomingPage) -> tuple[Page, Result]:
    """The page with that code, made if there is none; one that is here keeps what it says of itself."""
    code = incoming.code if is_public_id(incoming.code) else public_id_for("page", incoming.code)
    page = Page.objects.filter(public_id=code).first()
    if page:
        return page, Result(Outcome.UNCHANGED)
    notes = []
    zone = incoming.time_zone
    try:
        validate_time_zone(zone)
    except ValidationError as error:
        notes.append(f"{' '.join(error.messages)} The page has Etc/UTC now.")
        zone = "Etc/UTC"
    page = Page.objects.create(
        public_id=code,
        name=incoming.name[:100],
        description=incoming.description[:2000],
        support_url=incoming.support_url[:200],
        time_zone=zone,
        created_at=incoming.created_at or timezone.now(),
    )
    return page, Result(Outcome.CREATED, tuple(notes))


@transaction.atomic
def upsert_group(page: Page, incoming: IncomingGroup, *, dry: bool = False) -> Result:
    fields = {"name": incoming.name[:255], "position": incoming.position} | _told(description=incoming.description)
    return _upsert(page, ComponentGroup, incoming, fields, dry=dry)


@transaction.atomic
def upsert_component(page: Page, incoming: IncomingComponent, *, dry: bool = False) -> Result:
    """Its status history begins with its start date, else when it was made; `fold_history` brings the rest."""
    fields = {"name": incoming.name[:255], "position": incoming.position, "status": incoming.status}
    fields |= {"group": page.groups.filter(public_id=incoming.group).first() if incoming.group else None}
    fields |= _told(
        description=incoming.description,
        only_show_if_degraded=incoming.only_show_if_degraded,
        showcase=incoming.showcase,
        start_date=incoming.start_date,
    )
    result = _upsert(page, Component, incoming, fields, dry=dry)
    if result.outcome == Outcome.CREATED and not dry:
        _begin_history(Component.objects.get(public_id=incoming.code), incoming)
    return result


@transaction.atomic
def upsert_former_component(page: Page, *, code: str, name: str, seen_at: datetime) -> Component:
    """One that the other product has deleted, but that its old incidents still name: archived from the start."""
    component = Component.objects.create(
        page=page,
        public_id=code,
        name=name[:255],
        showcase=False,
        archived_at=timezone.now(),
        created_at=seen_at,
        updated_at=seen_at,
    )
    status_history.begin_history(component, at=seen_at)
    return component


@transaction.atomic
def record_import(page: Page, *, actor: Actor, details: dict[str, Any]) -> None:
    """The end of a run: one entry in the audit log, and one silent event, so that the page is published anew."""
    now = timezone.now()
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


def is_changed_here(updated_at: datetime, told: datetime | None) -> bool:
    """Whether what is here was written after what the other product tells of."""
    return told is not None and updated_at - told > SAME_MOMENT


def differing(thing: models.Model, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `fields` that `thing` has otherwise; times less than a second apart are the same."""
    return {name: value for name, value in fields.items() if not _same(getattr(thing, name), value)}


def _same(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, datetime) and isinstance(theirs, datetime):
        return abs(mine - theirs) < SAME_MOMENT
    return bool(mine == theirs)


def _told(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _upsert(
    page: Page, model: type[_Thing], incoming: IncomingGroup | IncomingComponent, fields: dict[str, Any], *, dry: bool
) -> Result:
    thing = model._default_manager.filter(public_id=incoming.code).select_related("page").first()
    if thing is None:
        if not dry:
            times = _told(created_at=incoming.created_at, updated_at=incoming.updated_at)
            model._default_manager.create(page=page, public_id=incoming.code, **fields, **times)
        return Result(Outcome.CREATED)
    if thing.page_id != page.pk:
        return Result(Outcome.SKIPPED, (f"its code {incoming.code} is in use on the page “{thing.page}”",))
    changes = differing(thing, fields)
    if not changes or is_changed_here(thing.updated_at, incoming.updated_at):
        return Result(Outcome.UNCHANGED)
    if not dry:
        changes["updated_at"] = incoming.updated_at or timezone.now()
        model._default_manager.filter(pk=thing.pk).update(**changes)
    return Result(Outcome.CHANGED)


def _begin_history(component: Component, incoming: IncomingComponent) -> None:
    """Operational until an incident says otherwise. What it has now, if that is another, is folded in at the end."""
    began = component.created_at
    if incoming.start_date:
        began = min(began, datetime.combine(incoming.start_date, time(), tzinfo=component.page.zone).astimezone(UTC))
    began = min(began, timezone.now())
    status_history.begin_history(Component(pk=component.pk, status=ComponentStatus.OPERATIONAL), at=began)
