"""Set or remove the logos of a page: one for light backgrounds, and optionally another for dark ones."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents.actions._audit import record
from incidents.actor import Actor
from incidents.images import Picture
from incidents.models import EventKind, Page, PageLogo


@transaction.atomic
def set_logo(page: Page, *, actor: Actor, **pictures: Picture | None) -> Page:
    """`pictures`: logo, logo_dark; None takes one away, and the one for dark ground goes with the other.

    ValidationError names the field.
    """
    locked = Page.objects.select_for_update().get(pk=page.pk)
    if not pictures.get("logo", locked.logo):
        if pictures.get("logo_dark"):
            raise ValidationError({"logo_dark": "Choose the logo for light backgrounds first."})
        pictures["logo_dark"] = None
    old = {name: getattr(locked, name) for name in pictures}
    changed = [name for name, picture in pictures.items() if _digest(picture) != _digest(old[name])]
    if not changed:
        return locked
    before = {name: str(old[name] or "") for name in changed}
    for name in changed:
        setattr(locked, name, store_picture(pictures[name]))
    locked.save(update_fields=changed)
    PageLogo.objects.filter(pk__in=[old[name].pk for name in changed if old[name]]).delete()
    details = {"changed": {name: str(getattr(locked, name) or "") for name in changed}, "before": before}
    record(locked, EventKind.PAGE_CHANGED, locked, actor=actor, details=details)
    return locked


def _digest(picture: Picture | PageLogo | None) -> str:
    return picture.digest if picture else ""


def store_picture(picture: Picture | None) -> PageLogo | None:
    """Create the row of a picture. None if there is no picture."""
    if picture is None:
        return None
    return PageLogo.objects.create(
        content=picture.content, width=picture.width, height=picture.height, digest=picture.digest
    )
