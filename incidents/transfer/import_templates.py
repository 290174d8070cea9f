"""Import incident templates."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from incidents.models import IncidentTemplate, Page
from incidents.transfer.import_pages import differing
from incidents.transfer.records import IncomingTemplate, Outcome, Result


@transaction.atomic
def upsert_template(page: Page, incoming: IncomingTemplate, *, dry: bool = False) -> Result:
    """One that is here already stays as staff has it."""
    fields: dict[str, Any] = {
        "name": incoming.name[:255],
        "title": incoming.title[:255],
        "body": incoming.body,
        "update_status": incoming.status,
        "should_send_notifications": incoming.notify,
        "group_label": incoming.group[:100],
    }
    here = IncidentTemplate.objects.filter(public_id=incoming.code).first()
    if here and here.page_id != page.pk:
        return Result(Outcome.SKIPPED, (f"its code is in use on the page “{here.page}”",))
    if here:
        return Result(Outcome.UNCHANGED, ("it was changed here, and stays so",) if differing(here, fields) else ())
    if page.incident_templates.filter(name=fields["name"]).exists():
        return Result(Outcome.SKIPPED, ("there is a template of that name already",))
    if not dry:
        incident_template = IncidentTemplate.objects.create(page=page, public_id=incoming.code, **fields)
        incident_template.components.set(page.components.with_codes(incoming.components))
    return Result(Outcome.CREATED)
