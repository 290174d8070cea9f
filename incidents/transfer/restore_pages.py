"""Restore a page, its logos and its audit log from an export."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents import colors
from incidents.actions.pages.logos import store_picture
from incidents.images import convert_image
from incidents.models import AuditEntry, Page
from incidents.transfer._restore import CREATED, UNCHANGED, Raw, batches
from incidents.transfer.import_runs import IMPORTED
from incidents.transfer.records import ImportOutcome, ImportResult
from incidents.transfer.serialization import read

LOGO_FIELDS = {"light": "logo", "dark": "logo_dark"}


@transaction.atomic
def restore_page(raw: Raw) -> tuple[Page, ImportResult]:
    page = Page.objects.filter(public_id=raw["public_id"]).first()
    if page:
        return page, UNCHANGED
    fields = read(Page, raw)
    # Every view uses its time zone and its colors.
    Page(**fields).full_clean(validate_unique=False, validate_constraints=False)
    if not all(colors.is_hex(color) for color in (fields.get("accent"), fields.get("accent_dark")) if color):
        raise ValidationError("its accent is not a color")
    notes = []
    if fields.get("domain") and Page.objects.filter(domain=fields["domain"]).exists():
        notes.append(f"its domain {fields['domain']} was removed, because another page uses it")
        fields["domain"] = ""
    return Page.objects.create(**fields), ImportResult(ImportOutcome.CREATED, tuple(notes))


@transaction.atomic
def restore_logo(page: Page, raw: Raw) -> ImportResult:
    """Restore one logo, unless the page has one already.

    The picture is decoded and encoded again like an upload, because anyone may have written the file. A picture that
    Candor wrote keeps its bytes. Raises ValidationError.
    """
    name = LOGO_FIELDS.get(raw["ground"])
    if name is None:
        raise ValidationError("its ground is neither light nor dark")
    if getattr(page, name):
        return UNCHANGED
    try:
        content = b64decode(raw["content"], validate=True)
    except ValueError as error:
        raise ValidationError("its content is not base64") from error
    setattr(page, name, store_picture(convert_image(content)))
    page.save(update_fields=[name])
    return CREATED


# Who restores a page signs in first, and changes the generated password.
SIGN_IN_VERBS = [
    f"person.{verb}"
    for verb in (
        *("signed_in", "signed_out", "sign_in_failed", "sign_in_blocked", "unknown_failed", "unknown_blocked"),
        *("password_changed", "password_reset", "session_ended"),
    )
]


@transaction.atomic
def restore_audit_log(page: Page, rows: Iterable[Raw]) -> tuple[int, bool]:
    """Restore all entries, or none if there are others than those of imports and sign-ins: two logs are never mixed.

    Return how many entries there are, and whether they were written.
    """
    entries = page.audit_entries.exclude(verb=IMPORTED, actor_ref="import").exclude(verb__in=SIGN_IN_VERBS)
    is_empty = not entries.exists()
    count = 0
    for batch in batches(rows):
        count += len(batch)
        if is_empty:
            AuditEntry.objects.bulk_create(AuditEntry(page=page, **read(AuditEntry, raw)) for raw in batch)
    return count, is_empty
