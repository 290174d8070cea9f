"""Restore groups, components and service level targets from an export."""

from __future__ import annotations

from django.db import transaction

from incidents.models import Component, ComponentGroup, Page, ServiceTarget
from incidents.transfer._restore import UNCHANGED, Raw, create, existing
from incidents.transfer.records import ImportResult
from incidents.transfer.serialization import read


@transaction.atomic
def restore_group(page: Page, raw: Raw) -> ImportResult:
    return existing(ComponentGroup, page, raw) or create(ComponentGroup, page=page, **read(ComponentGroup, raw))


@transaction.atomic
def restore_component(page: Page, raw: Raw) -> ImportResult:
    """Restore a component without its status history, which has its own line."""
    group = page.groups.get(public_id=raw["group"]) if raw["group"] else None
    return existing(Component, page, raw) or create(Component, page=page, group=group, **read(Component, raw))


@transaction.atomic
def restore_target(page: Page, raw: Raw) -> ImportResult:
    component = page.components.get(public_id=raw["component"])
    fields = read(ServiceTarget, raw)
    if component.targets.filter(valid_from=fields["valid_from"]).exists():
        return UNCHANGED
    return create(ServiceTarget, component=component, **fields)
