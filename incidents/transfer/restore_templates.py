"""Restore incident templates from an export."""

from __future__ import annotations

from django.db import transaction

from incidents.models import IncidentTemplate, Page
from incidents.transfer._restore import CREATED, Raw, components_by_public_id, existing
from incidents.transfer.records import ImportResult
from incidents.transfer.serialization import read


@transaction.atomic
def restore_template(page: Page, raw: Raw) -> ImportResult:
    if result := existing(IncidentTemplate, page, raw):
        return result
    template = IncidentTemplate.objects.create(page=page, **read(IncidentTemplate, raw))
    template.components.set(components_by_public_id(page, raw["components"]).values())
    return CREATED
