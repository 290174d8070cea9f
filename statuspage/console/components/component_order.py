"""The components of the page in their order: moving them, and setting many at once."""

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
    """One place of the page: a group with its members, or a loose component alone."""

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
    """What is ticked (`chosen`, and all of `groups`) gets one status."""
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
    """Moves `thing` into the group `into` (empty: onto the page itself), before `before` (empty: to the end)."""
    page = request.page
    try:
        thing, into, before = _named(page, request.POST)
        positions.place(page, thing, into=into, before=before, actor=request.user.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return HttpResponse(status=422) if request.htmx else redirect(console_url(request.page, "components"))
    return HttpResponse(status=204) if request.htmx else to_row(page, thing)


@role_required(Role.EDITOR)
@require_POST
def move_component(request: StaffRequest) -> HttpResponse:
    """Its buttons are named after the direction; their value is the public id of what moves."""
    page = request.page
    where: Where
    for where in ("up", "down", "top", "bottom"):
        if code := request.POST.get(where):
            thing = _component_or_group(page, code)
            positions.reorder(page, _moved(thing, where), actor=request.user.actor)
            return to_row(page, thing)
    return redirect(console_url(request.page, "components"))


def to_row(page: Page, thing: Item) -> HttpResponse:
    return HttpResponseRedirect(f"{console_url(page, 'components')}#at-{thing.public_id}")


def _list_page(request: StaffRequest, page: Page, components: Sequence[Component], form: StatusesForm) -> HttpResponse:
    active = [component for component in components if component.archived_at is None]
    context = {
        "page": page,
        "shelves": _group_sections(page, active),
        "count": len(active),
        "archived": [component for component in components if component.archived_at],
        "may_edit": request.user.has_role(Role.EDITOR),
        "form": form,
    }
    return render_form(request, "console/components/list.html", context, form)


def _group_sections(page: Page, active: list[Component]) -> list[GroupSection]:
    """In page order, also groups that have no component yet."""
    by_group = {group.pk: GroupSection(group) for group in page.groups.all()}
    shelves = list(by_group.values())
    for component in active:
        if component.group_id:
            by_group[component.group_id].components.append(component)
        else:
            shelves.append(GroupSection(None, [component]))
    return sorted(shelves, key=_place)


def _place(shelf: GroupSection) -> tuple[int, bool, int]:
    thing = shelf.group or shelf.components[0]
    return thing.position, shelf.group is None, thing.pk


def _moved(thing: Item, where: Where) -> list[Item]:
    order = positions.siblings_of(thing)
    at = order.index(thing)
    to = {"up": max(at - 1, 0), "down": at + 1, "top": 0, "bottom": len(order)}[where]
    order.insert(to, order.pop(at))
    return order


def _component_or_group(page: Page, code: str) -> Item:
    try:
        return page.components.active().select_related("group", "page").get(public_id=code)
    except Component.DoesNotExist:
        return get_object_or_404(page.groups.all(), public_id=code)


def _named(page: Page, post: QueryDict) -> tuple[Item, ComponentGroup | None, Item | None]:
    groups = {group.public_id: group for group in page.groups.all()}
    standing: dict[str, Item] = {**groups, **{one.public_id: one for one in page.components.active()}}
    thing, into, before = (post.get(name, "") for name in ("thing", "into", "before"))
    try:
        return standing[thing], groups[into] if into else None, standing[before] if before else None
    except KeyError:
        raise ValidationError("Somebody has changed the page meanwhile. Nothing was moved.") from None
