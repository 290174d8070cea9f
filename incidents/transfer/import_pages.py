"""Import a page. No notifications are sent."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents import clock
from incidents.models import Page
from incidents.models.pages import validate_time_zone
from incidents.transfer.records import ImportOutcome, ImportResult, IncomingPage


@transaction.atomic
def upsert_page(incoming: IncomingPage) -> tuple[Page, ImportResult]:
    """Return the page with the public id of `incoming`. Create it if there is none; never change an existing one."""
    page = Page.objects.filter(public_id=incoming.public_id).first()
    if page:
        return page, ImportResult(ImportOutcome.UNCHANGED)
    notes = []
    zone = incoming.time_zone
    try:
        validate_time_zone(zone)
    except ValidationError as error:
        notes.append(f"{' '.join(error.messages)} The page uses Etc/UTC")
        zone = "Etc/UTC"
    page = Page.objects.create(
        public_id=incoming.public_id,
        name=incoming.name[:100],
        description=incoming.description[:2000],
        support_url=incoming.support_url[:200],
        time_zone=zone,
        created_at=incoming.created_at or clock.now(),
    )
    return page, ImportResult(ImportOutcome.CREATED, tuple(notes))
