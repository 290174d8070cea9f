from dataclasses import dataclass, field
from typing import Any, Literal

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from incidents.actions import components as actions
from incidents.models import Component, ComponentGroup, Page
from incidents.status import worst_status
from statuspage.accounts.models import Role
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.forms.components import ComponentForm, GroupForm, NamedForm

Where = Literal["up", "down", "top", "bottom"]


@dataclass
class Shelf:
    """One place of the page: a group with its members, or a loose component alone."""

    group: ComponentGroup | None
    components: list[Component] = field(default_factory=list)

    @property
    def status(self) -> str:
        return worst_status(component.status for component in self.components)


@role_required(Role.VIEWER)
def component_list(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    components = list(page.components.in_page_order())
    active = [component for component in components if component.archived_at is None]
    context = {
        "page": page,
        "shelves": _shelves(page, active),
        "count": len(active),
        "archived": [component for component in components if component.archived_at],
        "may_edit": request.user.has_role(Role.EDITOR),
    }
    return render(request, "console/components.html", context)


@role_required(Role.EDITOR)
def new_component(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    initial = {"group": request.GET.get("group", "")}
    form = ComponentForm(request.POST or None, page=page, initial=initial)
    if form.is_valid():
        try:
            component = actions.create_component(page, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"“{component.name}” is on the page.")
            return _to_row(component)
    return _form_page(request, form, {"page": page, "title": "Add a component", "button": "Add component"})


@role_required(Role.EDITOR)
def edit_component(request: StaffRequest, code: str) -> HttpResponse:
    page = current_page(request)
    component = get_object_or_404(page.components.active().select_related("group", "page"), public_id=code)
    initial = {name: getattr(component, name) for name in ("name", "description", "only_show_if_degraded", "showcase")}
    initial["group"] = component.group.public_id if component.group else ""
    form = ComponentForm(request.POST or None, page=page, component=component, initial=initial)
    old_name = component.full_name
    if form.is_valid():
        try:
            actions.edit_component(component, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"“{component.name}” is saved.")
            return _to_row(component)
    context = {"page": page, "title": old_name, "button": "Save", "component": component}
    return _form_page(request, form, context)


@role_required(Role.EDITOR)
@require_POST
def archive_component(request: StaffRequest, code: str) -> HttpResponse:
    """Archives, or with `restore` brings back."""
    component = get_object_or_404(current_page(request).components.all(), public_id=code)
    archived = "restore" not in request.POST
    actions.set_archived(component, archived=archived, actor=request.user.actor)
    messages.success(request, f"“{component.name}” is {'archived' if archived else 'back on the page'}.")
    return redirect("console:components")


@role_required(Role.EDITOR)
@require_POST
def move_component(request: StaffRequest) -> HttpResponse:
    """Its buttons are named after the direction; their value is the public id of what moves."""
    page = current_page(request)
    where: Where
    for where in ("up", "down", "top", "bottom"):
        if code := request.POST.get(where):
            thing = _component_or_group(page, code)
            actions.reorder(page, _moved(thing, where), actor=request.user.actor)
            return _to_row(thing)
    return redirect("console:components")


@role_required(Role.EDITOR)
def new_group(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    form = GroupForm(request.POST or None, page=page)
    if form.is_valid():
        try:
            group = actions.create_group(page, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"The group “{group.name}” is made. Now put components into it.")
            return _to_row(group)
    return _form_page(request, form, {"page": page, "title": "Add a group", "button": "Add group"})


@role_required(Role.EDITOR)
def edit_group(request: StaffRequest, code: str) -> HttpResponse:
    page = current_page(request)
    group = get_object_or_404(page.groups.all(), public_id=code)
    initial = {"name": group.name, "description": group.description}
    form = GroupForm(request.POST or None, page=page, group=group, initial=initial)
    old_name = group.name
    if form.is_valid():
        try:
            actions.edit_group(group, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"The group “{group.name}” is saved.")
            return _to_row(group)
    context = {"page": page, "title": old_name, "button": "Save", "group": group}
    return _form_page(request, form, context | {"members": group.components.active().count()})


@role_required(Role.EDITOR)
@require_POST
def delete_group(request: StaffRequest, code: str) -> HttpResponse:
    group = get_object_or_404(current_page(request).groups.all(), public_id=code)
    actions.delete_group(group, actor=request.user.actor)
    messages.success(request, f"The group “{group.name}” is gone; its components stay on the page.")
    return redirect("console:components")


def _shelves(page: Page, active: list[Component]) -> list[Shelf]:
    """In page order, also groups that have no component yet."""
    by_group = {group.pk: Shelf(group) for group in page.groups.all()}
    shelves = list(by_group.values())
    for component in active:
        if component.group_id:
            by_group[component.group_id].components.append(component)
        else:
            shelves.append(Shelf(None, [component]))
    return sorted(shelves, key=_place)


def _place(shelf: Shelf) -> tuple[int, bool, int]:
    thing = shelf.group or shelf.components[0]
    return thing.position, shelf.group is None, thing.pk


def _moved(thing: Component | ComponentGroup, where: Where) -> list[Component | ComponentGroup]:
    order = actions.neighbours(thing)
    at = order.index(thing)
    to = {"up": max(at - 1, 0), "down": at + 1, "top": 0, "bottom": len(order)}[where]
    order.insert(to, order.pop(at))
    return order


def _component_or_group(page: Page, code: str) -> Component | ComponentGroup:
    try:
        return page.components.active().select_related("group", "page").get(public_id=code)
    except Component.DoesNotExist:
        return get_object_or_404(page.groups.all(), public_id=code)


def _to_row(thing: Component | ComponentGroup) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('console:components')}#at-{thing.public_id}")


def _form_page(request: StaffRequest, form: NamedForm, context: dict[str, Any]) -> HttpResponse:
    context |= {"form": form}
    return render(request, "console/component_form.html", context, status=422 if form.errors else 200)
