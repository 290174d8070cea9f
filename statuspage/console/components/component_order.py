"""The list of components in page order: move them, and set the status of several at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from incidents.actions.components import component_lifecycle as actions
from incidents.actions.components import positions
from incidents.actions.components.positions import Item
from incidents.models import Component, ComponentGroup, Page
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.components.forms import StatusesForm

Where = Literal["up", "down", "top", "bottom"]


@dataclass
class GroupSection:
    """A group with its components, or a single component without a group."""

    group: ComponentGroup | None
    components: list[Component] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.components


@role_required(Role.VIEWER)
def component_list(request: StaffRequest) -> HttpResponse:
    page = request.page
    components = list(page.components.in_page_order())
    return _list_page(request, page, components, StatusesForm(components=components))


@role_required(Role.EDITOR)
@require_POST
def set_statuses(request: StaffRequest) -> HttpResponse:
    """Set one status for the selected components: `chosen`, and all members of `groups`."""
    page = request.page
    components = list(page.components.in_page_order())
    form = StatusesForm(request.POST, components=components)
    if form.is_valid():
        try:
            actions.set_statuses(page, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, form.done)
            return redirect(console_url(request.page, "components"))
    return _list_page(request, page, components, form)


@role_required(Role.EDITOR)
@require_POST
def place_component(request: StaffRequest) -> HttpResponse:
    """Move the row `item` into the group `into` (empty: no group), before the row `before` (empty: to the end)."""
    page = request.page
    try:
        row, into, before = _row_and_place(page, request.POST)
        positions.move(page, row, into=into, before=before, actor=request.user.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return HttpResponse(status=422) if request.htmx else redirect(console_url(request.page, "components"))
    return HttpResponse(status=204) if request.htmx else redirect_to_row(page, row)


@role_required(Role.EDITOR)
@require_POST
def move_component(request: StaffRequest) -> HttpResponse:
    """Move one component or group. The name of the button is the direction, its value the public id."""
    page = request.page
    where: Where
    for where in ("up", "down", "top", "bottom"):
        if public_id := request.POST.get(where):
            row = _component_or_group(page, public_id)
            positions.reorder(page, _moved(row, where), actor=request.user.actor)
            return redirect_to_row(page, row)
    return redirect(console_url(request.page, "components"))


def redirect_to_row(page: Page, row: Item) -> HttpResponse:
    return HttpResponseRedirect(f"{console_url(page, 'components')}#at-{row.public_id}")


def _list_page(request: StaffRequest, page: Page, components: Sequence[Component], form: StatusesForm) -> HttpResponse:
    active = [component for component in components if component.archived_at is None]
    context = {
        "page": page,
        "sections": _group_sections(page, active),
        "count": len(active),
        "archived": [component for component in components if component.archived_at],
        "form": form,
    }
    return render_form(request, "console/components/list.html", context, form)


def _group_sections(page: Page, active: list[Component]) -> list[GroupSection]:
    """Return the sections in page order, including empty groups."""
    by_group = {group.pk: GroupSection(group) for group in page.groups.all()}
    sections = list(by_group.values())
    for component in active:
        if component.group_id:
            by_group[component.group_id].components.append(component)
        else:
            sections.append(GroupSection(None, [component]))
    return sorted(sections, key=_position)


def _position(section: GroupSection) -> tuple[int, bool, int]:
    row = section.group or section.components[0]
    return row.position, section.group is None, row.pk


def _moved(row: Item, where: Where) -> list[Item]:
    order = positions.siblings_of(row)
    at = order.index(row)
    to = {"up": max(at - 1, 0), "down": at + 1, "top": 0, "bottom": len(order)}[where]
    order.insert(to, order.pop(at))
    return order


def _component_or_group(page: Page, public_id: str) -> Item:
    try:
        return page.components.active().select_related("group", "page").get(public_id=public_id)
    except Component.DoesNotExist:
        return get_object_or_404(page.groups.all(), public_id=public_id)


def _row_and_place(page: Page, post: QueryDict) -> tuple[Item, ComponentGroup | None, Item | None]:
    groups = {group.public_id: group for group in page.groups.all()}
    rows: dict[str, Item] = {**groups, **{component.public_id: component for component in page.components.active()}}
    moved, into, before = (post.get(name, "") for name in ("item", "into", "before"))
    try:
        return rows[moved], groups[into] if into else None, rows[before] if before else None
    except KeyError:
        raise ValidationError("The order was changed by someone else. Reload and try again.") from None
