from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from incidents.actions import checks
from incidents.actions._audit import record
from incidents.actions.components import status_history
from incidents.actor import Actor
from incidents.models import Component, ComponentGroup, EventKind, Page

_Item = TypeVar("_Item", Component, ComponentGroup)


@transaction.atomic
def create_component(
    page: Page,
    *,
    name: str,
    actor: Actor,
    group: ComponentGroup | None = None,
    description: str = "",
    only_show_if_degraded: bool = False,
    showcase: bool = True,
    start_date: date | None = None,
) -> Component:
    """A new, operational component at the end of its group. `start_date`: since when its history is known.

    `showcase`: whether its uptime is published.
    """
    _check_start(start_date)
    component = Component.objects.create(
        page=page,
        group=_own(page, group),
        name=checks.line(name, field="name", what="The name"),
        description=description.strip(),
        only_show_if_degraded=only_show_if_degraded,
        showcase=showcase,
        start_date=start_date,
        position=_next_position(page, group),
    )
    status_history.begin_history(component, at=_first_moment(page, start_date) if start_date else timezone.now())
    details = {"created": name, "group": str(group or ""), "description": component.description}
    return _recorded(page, component, actor, details)


@transaction.atomic
def edit_component(
    component: Component,
    *,
    name: str,
    actor: Actor,
    group: ComponentGroup | None = None,
    description: str = "",
    only_show_if_degraded: bool = False,
    showcase: bool | None = None,
    start_date: date | None = None,
) -> Component:
    """`showcase` and `start_date` None leave them as they are. With an earlier start, its history begins earlier."""
    _check_start(start_date)
    before = _shown(component)
    if start_date and start_date != component.start_date:
        component.start_date = start_date
        status_history.begin_earlier(component, at=_first_moment(component.page, start_date))
    if group != component.group:
        component.position = _next_position(component.page, group)
    component.group = _own(component.page, group)
    component.name = checks.line(name, field="name", what="The name")
    component.description = description.strip()
    component.only_show_if_degraded = only_show_if_degraded
    component.showcase = component.showcase if showcase is None else showcase
    component.updated_at = timezone.now()
    changed = [
        "name",
        "group",
        "description",
        "only_show_if_degraded",
        "showcase",
        "position",
        "start_date",
        "updated_at",
    ]
    component.save(update_fields=changed)
    return _recorded(component.page, component, actor, {"name": name, **_difference(before, _shown(component))})


@transaction.atomic
def set_archived(component: Component, *, archived: bool, actor: Actor) -> Component:
    """An archived component leaves the page and every form; its history and its name in old incidents stay."""
    component.archived_at = timezone.now() if archived else None
    component.save(update_fields=["archived_at"])
    return _recorded(component.page, component, actor, {"archived": archived})


@transaction.atomic
def set_status(component: Component, status: str, *, actor: Actor, note: str = "", notify: bool = True) -> Component:
    """Set a component's status by hand, without an incident. The note is for staff: it goes into the audit log.

    `notify` tells programs that listen (webhooks); people are told by incidents only.
    """
    ((locked, status),) = checks.components(component.page, {component: status}).items()
    _change_status(locked.page, locked, status, actor=actor, note=note, notify=notify)
    return locked


@transaction.atomic
def set_statuses(
    page: Page, components: Iterable[Component], status: str, *, actor: Actor, note: str = "", notify: bool = True
) -> list[Component]:
    """Set one status for many, as `set_status` does for each: for all of them or, if one cannot have it, for none.

    Returns those that had another one before.
    """
    locked = checks.components(page, dict.fromkeys(components, status))
    return [
        component
        for component in locked
        if _change_status(page, component, status, actor=actor, note=note, notify=notify)
    ]


@transaction.atomic
def create_group(page: Page, *, name: str, actor: Actor, description: str = "") -> ComponentGroup:
    group = ComponentGroup.objects.create(
        page=page,
        name=checks.line(name, field="name", what="The name"),
        description=description.strip(),
        position=_next_position(page, None),
    )
    return _recorded(page, group, actor, {"created": name, "description": group.description})


@transaction.atomic
def edit_group(group: ComponentGroup, *, name: str, actor: Actor, description: str = "") -> ComponentGroup:
    before = {"name": group.name, "description": group.description}
    group.name = checks.line(name, field="name", what="The name")
    group.description = description.strip()
    group.updated_at = timezone.now()
    group.save(update_fields=["name", "description", "updated_at"])
    after = {"name": group.name, "description": group.description}
    return _recorded(group.page, group, actor, {"name": name, **_difference(before, after)})


@transaction.atomic
def delete_group(group: ComponentGroup, *, actor: Actor) -> None:
    """Its components stay, as loose ones at the end of the page."""
    page = group.page
    # Before the page, as whoever orders them takes them.
    list(group.components.select_for_update(no_key=True).order_by("pk"))
    list(page.groups.select_for_update().filter(pk=group.pk))
    for position, component in enumerate(group.components.all(), start=_next_position(page, None)):
        component.group, component.position = None, position
        component.save(update_fields=["group", "position"])
    _recorded(page, group, actor, {"deleted": group.name})
    group.delete()


def _change_status(page: Page, component: Component, status: str, *, actor: Actor, note: str, notify: bool) -> bool:
    """Of a locked one. Whether it had another status before."""
    old = component.status
    if status == old:
        return False
    status_history.record_status(component, status, at=timezone.now())
    record(
        page,
        EventKind.COMPONENT_STATUS,
        component,
        actor=actor,
        notify=notify,
        details={"old": old, "new": status, "note": note.strip()},
        component=component,
        old_status=old,
        new_status=status,
    )
    return True


def _shown(component: Component) -> dict[str, str]:
    """Return what visitors read of it, for the audit log."""
    return {
        "name": component.name,
        "group": str(component.group or ""),
        "description": component.description,
        "start_date": str(component.start_date or ""),
        "only_show_if_degraded": str(component.only_show_if_degraded),
        "showcase": str(component.showcase),
    }


def _difference(before: dict[str, str], after: dict[str, str]) -> dict[str, dict[str, str]]:
    changed = [name for name in after if before[name] != after[name]]
    old, new = ({name: values[name] for name in changed} for values in (before, after))
    return {"before": old, "changed": new} if changed else {}


def _recorded(page: Page, item: _Item, actor: Actor, details: dict[str, Any]) -> _Item:
    record(page, EventKind.COMPONENTS_CHANGED, item, actor=actor, details=details)
    return item


def _own(page: Page, group: ComponentGroup | None) -> ComponentGroup | None:
    if group is not None and group.page_id != page.pk:
        raise ValidationError({"group": f"“{group.name}” is not a group of this page."})
    return group


def _next_position(page: Page, group: ComponentGroup | None) -> int:
    if group is not None:
        return (group.components.aggregate(top=Max("position"))["top"] or 0) + 1
    loose = page.components.filter(group=None).aggregate(top=Max("position"))["top"] or 0
    return max(loose, page.groups.aggregate(top=Max("position"))["top"] or 0) + 1


def _first_moment(page: Page, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=page.zone).astimezone(UTC)


def _check_start(start_date: date | None) -> None:
    if start_date and start_date > timezone.now().date():
        raise ValidationError({"start_date": "The start date is in the future."})
