"""In which order visitors see groups and components, and which group a component stands in."""

from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from incidents.actions._audit import record
from incidents.actor import Actor
from incidents.models import Component, ComponentGroup, EventKind, Page

Thing = Component | ComponentGroup


@transaction.atomic
def reorder(page: Page, things: Sequence[Thing], *, actor: Actor) -> None:
    """Give `things` (the members of one group, or the groups and loose components of the page) this order."""
    _hold(things)
    _number(page, things)
    if things:
        details = {"order": [thing.public_id for thing in things]}
        record(page, EventKind.COMPONENTS_CHANGED, things[0], actor=actor, details=details)


@transaction.atomic
def place(
    page: Page, thing: Thing, *, actor: Actor, into: ComponentGroup | None = None, before: Thing | None = None
) -> None:
    """Put `thing` into the group `into`, or on the page itself: before `before`, or at the end.

    Nothing is recorded where it stands there already. ValidationError if one of the three has left meanwhile, or does
    not belong there.
    """
    standing = _locked(page)
    for field, named in (("thing", thing), ("into", into), ("before", before)):
        if named is not None and named not in standing:
            raise ValidationError({field: f"“{named.name}” is not on this page any more."})
    thing = standing[standing.index(thing)]
    old = _among(standing, into)
    order = [one for one in old if one != thing]
    if before is not None and before not in order:
        raise ValidationError({"before": f"“{before.name}” does not stand there any more."})
    details = {} if thing in old else _enter(thing, into, order)
    order.insert(order.index(before) if before else len(order), thing)
    if order != old:
        _number(page, order)
        details["order"] = [one.public_id for one in order]
        record(page, EventKind.COMPONENTS_CHANGED, thing, actor=actor, details=details)


def neighbours(thing: Thing) -> list[Thing]:
    """What `thing` is ordered among: its group's members, or the page's groups and loose components."""
    if isinstance(thing, Component) and thing.group:
        return list(thing.group.components.active())
    return _among([*thing.page.groups.all(), *thing.page.components.active().filter(group=None)], None)


def _hold(things: Sequence[Thing]) -> None:
    """In the same order: an UPDATE of many takes them as they lie in the table."""
    for model in (Component, ComponentGroup):
        keys = [one.pk for one in things if isinstance(one, model)]
        rows = model._default_manager.filter(pk__in=keys).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))


def _locked(page: Page) -> list[Thing]:
    """All that stands on the page, freshly read. Components first, by key, as `checks.components` locks them."""
    rows = page.components.active().select_related("group")
    components = rows.select_for_update(of=("self",), no_key=True).order_by("pk")
    return [*components, *page.groups.select_for_update(no_key=True).order_by("pk")]


def _among(things: Iterable[Thing], group: ComponentGroup | None) -> list[Thing]:
    """Those that stand in `group`, or on the page itself, in their order."""
    found = [one for one in things if _group_of(one) == group]
    return sorted(found, key=lambda one: (one.position, isinstance(one, Component), one.pk))


def _group_of(thing: Thing) -> ComponentGroup | None:
    return thing.group if isinstance(thing, Component) else None


def _enter(thing: Thing, group: ComponentGroup | None, others: Iterable[Thing]) -> dict[str, object]:
    """Moves it out of the group that it stood in; what the audit log says of that."""
    if isinstance(thing, ComponentGroup):
        raise ValidationError({"into": "A group cannot stand in a group."})
    where = f"The group “{group.name}”" if group else "The page"
    if any(isinstance(one, Component) and one.name.casefold() == thing.name.casefold() for one in others):
        raise ValidationError({"into": f"{where} already has a component named “{thing.name}”."})
    old, thing.group, thing.updated_at = thing.group, group, timezone.now()
    thing.save(update_fields=["group", "updated_at"])
    return {"old_group": old.name if old else "", "new_group": group.name if group else ""}


def _number(page: Page, things: Sequence[Thing]) -> None:
    """Two queries at most for a screenful, however many they are."""
    for position, thing in enumerate(things, start=1):
        thing.position = position
    Component.objects.filter(page=page).bulk_update([c for c in things if isinstance(c, Component)], ["position"])
    groups = [group for group in things if isinstance(group, ComponentGroup)]
    ComponentGroup.objects.filter(page=page).bulk_update(groups, ["position"])
