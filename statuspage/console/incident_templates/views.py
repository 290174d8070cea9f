"""Presets: the texts that messages start from."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents.actions.pages import incident_templates as actions
from incidents.models import Preset
from statuspage.accounts.models import Role
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.fields import sent
from statuspage.console.incident_templates.forms import PresetForm
from statuspage.console.paging import paged


@role_required(Role.VIEWER)
def preset_list(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    return render(request, "console/presets.html", {"page": page, "listed": paged(page.presets.in_order(), request)})


@role_required(Role.EDITOR)
@require_POST
def add_stock(request: StaffRequest) -> HttpResponse:
    """Those that a new page begins with, where they are missing."""
    added = actions.create_stock(current_page(request), actor=request.user.actor)
    messages.success(request, f"{added} preset{'' if added == 1 else 's'} added.")
    return redirect("console:presets")


@role_required(Role.EDITOR)
def new_preset(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    form = PresetForm(sent(request), page=page)
    if form.is_valid() and _saved(form, lambda fields: actions.create_preset(page, actor=request.user.actor, **fields)):
        messages.success(request, "Added.")
        return redirect("console:presets")
    return render(request, "console/preset.html", {"page": page, "form": form}, status=422 if form.errors else 200)


@role_required(Role.EDITOR)
def edit_preset(request: StaffRequest, code: str) -> HttpResponse:
    page = current_page(request)
    preset = _preset(request, code)
    initial = {name: getattr(preset, name) for name in PresetForm.base_fields}
    initial["components"] = [component.public_id for component in preset.components.all()]
    form = PresetForm(sent(request), page=page, initial=initial)
    if form.is_valid() and _saved(form, lambda fields: actions.edit_preset(preset, actor=request.user.actor, **fields)):
        messages.success(request, "Saved.")
        return redirect("console:presets")
    context = {"page": page, "form": form, "preset": preset}
    return render(request, "console/preset.html", context, status=422 if form.errors else 200)


@role_required(Role.EDITOR)
@require_POST
def delete_preset(request: StaffRequest, code: str) -> HttpResponse:
    actions.delete_preset(_preset(request, code), actor=request.user.actor)
    messages.success(request, "Deleted.")
    return redirect("console:presets")


def _saved(form: PresetForm, act: Any) -> bool:
    try:
        act(form.action_fields())
    except ValidationError as error:
        form.refuse(error)
        return False
    return True


def _preset(request: StaffRequest, code: str) -> Preset:
    return get_object_or_404(current_page(request).presets.with_code(code))
