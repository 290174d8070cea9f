"""Presets: the texts that messages start from."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents.actions.pages import incident_templates as actions
from incidents.models import IncidentTemplate
from statuspage.accounts.models import Role
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import sent
from statuspage.console.incident_templates.forms import IncidentTemplateForm
from statuspage.console.paging import paged


@role_required(Role.VIEWER)
def incident_template_list(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    return render(
        request,
        "console/incident_templates/list.html",
        {"page": page, "listed": paged(page.incident_templates.in_order(), request)},
    )


@role_required(Role.EDITOR)
@require_POST
def add_built_in_templates(request: StaffRequest) -> HttpResponse:
    """Those that a new page begins with, where they are missing."""
    added = actions.create_built_in_templates(current_page(request), actor=request.user.actor)
    messages.success(request, f"{added} preset{'' if added == 1 else 's'} added.")
    return redirect("console:presets")


@role_required(Role.EDITOR)
def new_incident_template(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    form = IncidentTemplateForm(sent(request), page=page)
    if form.is_valid() and _saved(
        form, lambda fields: actions.create_incident_template(page, actor=request.user.actor, **fields)
    ):
        messages.success(request, "Added.")
        return redirect("console:presets")
    return render_form(request, "console/incident_templates/form.html", {"page": page, "form": form}, form)


@role_required(Role.EDITOR)
def edit_incident_template(request: StaffRequest, code: str) -> HttpResponse:
    page = current_page(request)
    preset = _incident_template(request, code)
    initial = {name: getattr(preset, name) for name in IncidentTemplateForm.base_fields}
    initial["components"] = [component.public_id for component in preset.components.all()]
    form = IncidentTemplateForm(sent(request), page=page, initial=initial)
    if form.is_valid() and _saved(
        form, lambda fields: actions.edit_incident_template(preset, actor=request.user.actor, **fields)
    ):
        messages.success(request, "Saved.")
        return redirect("console:presets")
    context = {"page": page, "form": form, "preset": preset}
    return render_form(request, "console/incident_templates/form.html", context, form)


@role_required(Role.EDITOR)
@require_POST
def delete_incident_template(request: StaffRequest, code: str) -> HttpResponse:
    actions.delete_incident_template(_incident_template(request, code), actor=request.user.actor)
    messages.success(request, "Deleted.")
    return redirect("console:presets")


def _saved(form: IncidentTemplateForm, act: Any) -> bool:
    try:
        act(form.action_fields())
    except ValidationError as error:
        form.add_action_errors(error)
        return False
    return True


def _incident_template(request: StaffRequest, code: str) -> IncidentTemplate:
    return get_object_or_404(current_page(request).incident_templates.with_code(code))
