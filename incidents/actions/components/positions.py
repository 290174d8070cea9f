"""The order of groups and components on the page, and the group that a component belongs to."""

from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from incidents.actions._audit import record
from incidents.actor import Actor
from incidents.models import Component, ComponentGroup, EventKind, Page

Item = Component | ComponentGroup


@transaction.atomic
def reorder(page: Page, items: Sequence[Item], *, actor: Actor) -> None:
    """Save the order of `items`: the members of one group, or the groups and ungrouped components of the page."""
    _lock(items)
    _save_positions(page, items)
    if items:
        details = {"order": [item.public_id for item in items]}
        record(page, EventKind.COMPONENTS_CHANGED, items[0], actor=actor, details=details, changes_text=False)


@transaction.atomic
def move(
    page: Page, item: Item, *, actor: Actor, into: ComponentGroup | None = None, before: Item | None = None
) -> None:
    """Move `item` into the group `into`, or out of its group: before the item `before`, or to the end.

    Records nothing if it is already there. ValidationError if one of the three no longer exists or cannot be there.
    """
    on_page = _locked(page)
    for field, given in (("item", item), ("into", into), ("before", before)):
        if given is not None and given not in on_page:
            raise ValidationError({field: f"“{given.name}” is no longer on this page."})
    item = on_page[on_page.index(item)]
    old = _members_of(on_page, into)
    order = [other for other in old if other != item]
    if before is not None and before not in order:
        raise ValidationError({"before": f"“{before.name}” is no longer in that group."})
    details = {} if item in old else _move_into(item, into, order)
    order.insert(order.index(before) if before else len(order), item)
    if order != old:
        _save_positions(page, order)
        details["order"] = [member.public_id for member in order]
        record(page, EventKind.COMPONENTS_CHANGED, item, actor=actor, details=details, changes_text=False)


def siblings_of(item: Item) -> list[Item]:
    """Return the members of its group, or the groups and ungrouped components of the page."""
    if isinstance(item, Component) and item.group:
        return list(item.group.components.active())
    return _members_of([*item.page.groups.all(), *item.page.components.active().filter(group=None)], None)


def _lock(items: Sequence[Item]) -> None:
    """Lock the rows in a fixed order. An UPDATE of several rows locks them in table order, which can deadlock."""
    for model in (Component, ComponentGroup):
        keys = [item.pk for item in items if isinstance(item, model)]
        rows = model._default_manager.filter(pk__in=keys).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))


def _locked(page: Page) -> list[Item]:
    """Lock and return all items of the page: components by primary key first, like `checks.components`."""
    rows = page.components.active().select_related("group")
    components = rows.select_for_update(of=("self",), no_key=True).order_by("pk")
    return [*components, *page.groups.select_for_update(no_key=True).order_by("pk")]


def _members_of(items: Iterable[Item], group: ComponentGroup | None) -> list[Item]:
    """Return the items in `group`, or the ungrouped items, in order."""
    members = [item for item in items if _group_of(item) == group]
    return sorted(members, key=lambda item: (item.position, isinstance(item, Component), item.pk))


def _group_of(item: Item) -> ComponentGroup | None:
    return item.group if isinstance(item, Component) else None


def _move_into(item: Item, group: ComponentGroup | None, others: Iterable[Item]) -> dict[str, object]:
    """Move the item to another group. Return the details for the audit log."""
    if isinstance(item, ComponentGroup):
        raise ValidationError({"into": "A group cannot contain another group."})
    where = f"The group “{group.name}”" if group else "The page"
    if any(isinstance(other, Component) and other.name.casefold() == item.name.casefold() for other in others):
        raise ValidationError({"into": f"{where} already has a component named “{item.name}”."})
    old, item.group, item.updated_at = item.group, group, timezone.now()
    item.save(update_fields=["group", "updated_at"])
    return {"old_group": old.name if old else "", "new_group": group.name if group else ""}


def _save_positions(page: Page, items: Sequence[Item]) -> None:
    """Save the positions in two queries."""
    for position, item in enumerate(items, start=1):
        item.position = position
    Component.objects.filter(page=page).bulk_update([c for c in items if isinstance(c, Component)], ["position"])
    groups = [group for group in items if isinstance(group, ComponentGroup)]
    ComponentGroup.objects.filter(page=page).bulk_update(groups, ["position"])
