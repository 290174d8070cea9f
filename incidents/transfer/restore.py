"""Putting back what an export of Candor wrote, exactly as it was. Histories and the audit log: restoring_records.

What is here already, known by its public id, stays as it is. ValidationError, KeyError or TypeError: the object is not
what an export writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from incidents import colors
from incidents.models import (
    ActionItem,
    AffectedComponent,
    Component,
    ComponentGroup,
    Incident,
    IncidentUpdate,
    MaintenanceReminder,
    MaintenanceSeries,
    Page,
    Postmortem,
    PostmortemComment,
    Revision,
    ServiceTarget,
)
from incidents.transfer.records import Outcome, Result
from incidents.transfer.serialization import read

Raw = Mapping[str, Any]
MADE, HERE = Result(Outcome.CREATED), Result(Outcome.UNCHANGED)


@transaction.atomic
def restore_page(raw: Raw) -> tuple[Page, Result]:
    page = Page.objects.filter(public_id=raw["public_id"]).first()
    if page:
        return page, HERE
    fields = read(Page, raw)
    # Every view reads its time zone and wears its colours.
    Page(**fields).full_clean(validate_unique=False, validate_constraints=False)
    if not all(colors.is_hex(one) for one in (fields.get("accent"), fields.get("accent_dark")) if one):
        raise ValidationError("its accent is no colour")
    notes = []
    if fields.get("domain") and Page.objects.filter(domain=fields["domain"]).exists():
        notes.append(f"another page has the domain {fields['domain']}; it has none now")
        fields["domain"] = ""
    return Page.objects.create(**fields), Result(Outcome.CREATED, tuple(notes))


@transaction.atomic
def restore_group(page: Page, raw: Raw) -> Result:
    return once(ComponentGroup, page, raw) or _made(ComponentGroup, page=page, **read(ComponentGroup, raw))


@transaction.atomic
def restore_component(page: Page, raw: Raw) -> Result:
    """Without its history, which stands in a line of its own."""
    group = page.groups.get(public_id=raw["group"]) if raw["group"] else None
    return once(Component, page, raw) or _made(Component, page=page, group=group, **read(Component, raw))


@transaction.atomic
def restore_target(page: Page, raw: Raw) -> Result:
    component = page.components.get(public_id=raw["component"])
    fields = read(ServiceTarget, raw)
    if component.targets.filter(valid_from=fields["valid_from"]).exists():
        return HERE
    return _made(ServiceTarget, component=component, **fields)


@transaction.atomic
def restore_series(page: Page, raw: Raw) -> Result:
    if here := once(MaintenanceSeries, page, raw):
        return here
    series = MaintenanceSeries.objects.create(page=page, **read(MaintenanceSeries, raw))
    series.components.set(components_of(page, raw["components"]).values())
    return MADE


@transaction.atomic
def restore_incident(page: Page, raw: Raw) -> Result:
    if here := once(Incident, page, raw):
        return here
    if not raw["updates"]:
        raise ValidationError("nothing was said about it")
    series = page.maintenance_series.get(public_id=raw["series"]) if raw["series"] else None
    incident = Incident.objects.create(page=page, series=series, **read(Incident, raw))
    codes = {row["component"] for update in raw["updates"] for row in update["affected"]}
    components = components_of(page, codes)
    _restore_updates(incident, raw["updates"], components)
    if raw["postmortem"]:
        _restore_postmortem(incident, raw["postmortem"])
    MaintenanceReminder.objects.bulk_create(
        MaintenanceReminder(incident=incident, **read(MaintenanceReminder, one)) for one in raw["reminders"]
    )
    return MADE


@transaction.atomic
def restore_merged(page: Page, raw: Raw) -> Result:
    """That an incident was joined with another one: in lines after both."""
    into = page.incidents.get(public_id=raw["into"])
    duplicate = page.incidents.get(public_id=raw["public_id"])
    if duplicate.merged_into_id:
        return HERE
    duplicate.merged_into = into
    duplicate.save(update_fields=["merged_into"])
    return MADE


def _restore_updates(incident: Incident, raws: Sequence[Raw], components: Mapping[str, Component]) -> None:
    rows = IncidentUpdate.objects.bulk_create(
        IncidentUpdate(incident=incident, **read(IncidentUpdate, raw)) for raw in raws
    )
    pairs = list(zip(rows, raws, strict=True))
    AffectedComponent.objects.bulk_create(
        AffectedComponent(update=row, component=components[one["component"]], **read(AffectedComponent, one))
        for row, raw in pairs
        for one in raw["affected"]
    )
    Revision.objects.bulk_create(
        Revision(update=row, **read(Revision, one)) for row, raw in pairs for one in raw["revisions"]
    )


def _restore_postmortem(incident: Incident, raw: Raw) -> None:
    postmortem = Postmortem.objects.create(incident=incident, **read(Postmortem, raw))
    items = (ActionItem(postmortem=postmortem, **read(ActionItem, one)) for one in raw["action_items"])
    ActionItem.objects.bulk_create(items)
    said = (PostmortemComment(postmortem=postmortem, **read(PostmortemComment, one)) for one in raw.get("comments", ()))
    PostmortemComment.objects.bulk_create(said)
    Revision.objects.bulk_create(Revision(postmortem=postmortem, **read(Revision, one)) for one in raw["revisions"])


def once(model: type[models.Model], page: Page, raw: Raw) -> Result | None:
    thing: Any = model._default_manager.filter(public_id=raw["public_id"]).first()
    if thing is None:
        return None
    if thing.page_id != page.pk:
        raise ValidationError(f"its code is in use on the page “{thing.page}”")
    return HERE


def _made(model: type[models.Model], **fields: Any) -> Result:
    model._default_manager.create(**fields)
    return MADE


def components_of(page: Page, codes: Iterable[str]) -> dict[str, Component]:
    wanted = set(codes)
    found = {one.public_id: one for one in page.components.with_codes(wanted)}
    if missing := wanted - found.keys():
        raise ValidationError(f"it names the components {', '.join(sorted(missing))}, which are not in the file")
    return found
