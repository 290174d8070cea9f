"""The page's name as a picture: on light ground, and on dark ground if that has one of its own."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents.actions._audit import record
from incidents.actor import Actor
from incidents.images import Picture, drawn
from incidents.models import EventKind, Page, PageLogo
from incidents.transfer.records import Outcome, Result

FIELDS = {"light": "logo", "dark": "logo_dark"}


@transaction.atomic
def set_logo(page: Page, *, actor: Actor, **pictures: Picture | None) -> Page:
    """`pictures`: logo, logo_dark; None takes one away, and the one for dark ground goes with the other.

    ValidationError names the field.
    """
    locked = Page.objects.select_for_update().get(pk=page.pk)
    if not pictures.get("logo", locked.logo):
        if pictures.get("logo_dark"):
            raise ValidationError({"logo_dark": "Choose the logo for light ground first."})
        pictures["logo_dark"] = None
    old = {name: getattr(locked, name) for name in pictures}
    changed = [name for name, picture in pictures.items() if _digest(picture) != _digest(old[name])]
    if not changed:
        return locked
    before = {name: str(old[name] or "") for name in changed}
    for name in changed:
        setattr(locked, name, _kept(pictures[name]))
    locked.save(update_fields=changed)
    PageLogo.objects.filter(pk__in=[old[name].pk for name in changed if old[name]]).delete()
    details = {"changed": {name: str(getattr(locked, name) or "") for name in changed}, "before": before}
    record(locked, EventKind.PAGE_CHANGED, locked, actor=actor, details=details)
    return locked


@transaction.atomic
def restore_logo(page: Page, raw: Mapping[str, Any]) -> Result:
    """Drawn anew, as if it were uploaded: anybody may have written the file. Of our own, that changes no byte."""
    name = FIELDS.get(raw["ground"])
    if name is None:
        raise ValidationError("its ground is neither light nor dark")
    if getattr(page, name):
        return Result(Outcome.UNCHANGED)
    try:
        content = b64decode(raw["content"], validate=True)
    except ValueError as error:
        raise ValidationError("its content is not base64") from error
    setattr(page, name, _kept(drawn(content)))
    page.save(update_fields=[name])
    return Result(Outcome.CREATED)


def _digest(picture: Picture | PageLogo | None) -> str:
    return picture.digest if picture else ""


def _kept(picture: Picture | None) -> PageLogo | None:
    if picture is None:
        return None
    return PageLogo.objects.create(
        content=picture.content, width=picture.width, height=picture.height, digest=picture.digest
    )
