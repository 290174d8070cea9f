"""Add and edit components and groups; the list of them is in component_order.py."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from incidents.actions.components import component_lifecycle as actions
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.components.component_order import redirect_to_row
from statuspage.console.components.forms import ComponentForm, GroupForm, NamedForm
from statuspage.subscribers.preferences import inherit_preferences


@role_required(Role.EDITOR)
def new_component(request: StaffRequest) -> HttpResponse:
    page = request.page
    initial = {"group": request.GET.get("group", "")}
    form = ComponentForm(request.POST or None, page=page, initial=initial)
    if form.is_valid():
        try:
            component = actions.create_component(page, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, f"Component “{component.name}” added.")
            return redirect_to_row(request.page, component)
    return _form_page(request, form, {"page": page, "title": "Add a component", "button": "Add component"})


@role_required(Role.EDITOR)
def edit_component(request: StaffRequest, public_id: str) -> HttpResponse:
    page = request.page
    component = get_object_or_404(page.components.active().select_related("group", "page"), public_id=public_id)
    initial = {name: getattr(component, name) for name in ("name", "description", "only_show_if_degraded", "showcase")}
    initial["group"] = component.group.public_id if component.group else ""
    form = ComponentForm(request.POST or None, page=page, component=component, initial=initial)
    old_name = component.full_name
    if form.is_valid():
        try:
            actions.edit_component(component, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, f"Component “{component.name}” saved.")
            return redirect_to_row(request.page, component)
    context = {"page": page, "title": old_name, "button": "Save", "component": component}
    return _form_page(request, form, context)


@role_required(Role.EDITOR)
@require_POST
def archive_component(request: StaffRequest, public_id: str) -> HttpResponse:
    """Archive the component, or restore it if the form has `restore`."""
    component = get_object_or_404(request.page.components.all(), public_id=public_id)
    archived = "restore" not in request.POST
    actions.set_archived(component, archived=archived, actor=request.user.actor)
    messages.success(request, f"Component “{component.name}” {'archived' if archived else 'restored'}.")
    return redirect(console_url(request.page, "components"))


@role_required(Role.EDITOR)
def new_group(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = GroupForm(request.POST or None, page=page)
    if form.is_valid():
        try:
            group = actions.create_group(page, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(
                request, f"Group “{group.name}” created. Add components to it: visitors do not see an empty group."
            )
            return redirect_to_row(request.page, group)
    return _form_page(request, form, {"page": page, "title": "Add a group", "button": "Add group"})


@role_required(Role.EDITOR)
def edit_group(request: StaffRequest, public_id: str) -> HttpResponse:
    page = request.page
    group = get_object_or_404(page.groups.all(), public_id=public_id)
    initial = {"name": group.name, "description": group.description}
    form = GroupForm(request.POST or None, page=page, group=group, initial=initial)
    old_name = group.name
    if form.is_valid():
        try:
            actions.edit_group(group, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, f"Group “{group.name}” saved.")
            return redirect_to_row(request.page, group)
    context = {"page": page, "title": old_name, "button": "Save", "group": group}
    return _form_page(request, form, context | {"members": group.components.active().count()})


@role_required(Role.EDITOR)
@require_POST
def delete_group(request: StaffRequest, public_id: str) -> HttpResponse:
    group = get_object_or_404(request.page.groups.all(), public_id=public_id)
    with transaction.atomic():
        inherit_preferences(group)
        actions.delete_group(group, actor=request.user.actor)
    messages.success(request, f"Group “{group.name}” deleted. Its components stay on the page.")
    return redirect(console_url(request.page, "components"))


def _form_page(request: StaffRequest, form: NamedForm, context: dict[str, Any]) -> HttpResponse:
    context |= {"form": form}
    return render_form(request, "console/components/form.html", context, form)
