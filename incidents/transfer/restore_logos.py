"""Restore the logos of a page from an export."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents.actions.pages.logos import store_picture
from incidents.images import drawn
from incidents.models import Page
from incidents.transfer.records import Outcome, Result

FIELDS = {"light": "logo", "dark": "logo_dark"}


@transaction.atomic
def restore_logo(page: Page, raw: Mapping[str, Any]) -> Result:
    """Restore one logo, unless the page has one already.

    The picture is decoded and encoded again like an upload, because anyone may have written the file. A picture that
    Candor wrote keeps its bytes. Raises ValidationError.
    """
    name = FIELDS.get(raw["ground"])
    if name is None:
        raise ValidationError("its ground is neither light nor dark")
    if getattr(page, name):
        return Result(Outcome.UNCHANGED)
    try:
        content = b64decode(raw["content"], validate=True)
    except ValueError as error:
        raise ValidationError("its content is not base64") from error
    setattr(page, name, store_picture(drawn(content)))
    page.save(update_fields=[name])
    return Result(Outcome.CREATED)
