"""What the restore functions share.

They write the objects of an export (docs/export-format.md) to the database unchanged. An existing object with the same
public id is kept. They raise ValidationError, KeyError, TypeError, ValueError or ObjectDoesNotExist for an object that
an export would not contain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from incidents.models import Component, Page
from incidents.transfer.records import ImportOutcome, ImportResult

Raw = Mapping[str, Any]
CREATED, UNCHANGED = ImportResult(ImportOutcome.CREATED), ImportResult(ImportOutcome.UNCHANGED)
BATCH = 500

_Item = TypeVar("_Item")


def existing(model: type[models.Model], page: Page, raw: Raw) -> ImportResult | None:
    """Return UNCHANGED if the page has a row with this public id, None if no page has one."""
    row: Any = model._default_manager.filter(public_id=raw["public_id"]).first()
    if row is None:
        return None
    if row.page_id != page.pk:
        raise ValidationError(f"the page “{row.page}” uses its ID")
    return UNCHANGED


def create(model: type[models.Model], **fields: Any) -> ImportResult:
    model._default_manager.create(**fields)
    return CREATED


def components_by_public_id(page: Page, public_ids: Iterable[str]) -> dict[str, Component]:
    """Return the components with these public ids. Raise ValidationError if one does not exist."""
    wanted = set(public_ids)
    components = {component.public_id: component for component in page.components.with_public_ids(wanted)}
    if missing := wanted - components.keys():
        raise ValidationError(f"the file does not contain its components {', '.join(sorted(missing))}")
    return components


def batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch
