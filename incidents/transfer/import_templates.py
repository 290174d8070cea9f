"""Import incident templates."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from incidents.models import IncidentTemplate, Page
from incidents.transfer.comparison import differences
from incidents.transfer.records import ImportOutcome, ImportResult, IncomingTemplate


@transaction.atomic
def upsert_template(page: Page, incoming: IncomingTemplate, *, dry: bool = False) -> ImportResult:
    """Create an incident template. An existing one is never changed."""
    fields: dict[str, Any] = {
        "name": incoming.name[:255],
        "title": incoming.title[:255],
        "body": incoming.body,
        "update_status": incoming.status,
        "should_send_notifications": incoming.notify,
        "group_label": incoming.group[:100],
    }
    template = IncidentTemplate.objects.filter(public_id=incoming.public_id).first()
    if template and template.page_id != page.pk:
        return ImportResult(ImportOutcome.SKIPPED, (f"the page “{template.page}” uses its ID",))
    if template:
        return ImportResult(
            ImportOutcome.UNCHANGED, ("it was changed here and stays so",) if differences(template, fields) else ()
        )
    if page.incident_templates.filter(name=fields["name"]).exists():
        return ImportResult(ImportOutcome.SKIPPED, ("a template with this name already exists",))
    if not dry:
        template = IncidentTemplate.objects.create(page=page, public_id=incoming.public_id, **fields)
        template.components.set(page.components.with_public_ids(incoming.components))
    return ImportResult(ImportOutcome.CREATED)
