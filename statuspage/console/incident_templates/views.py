"""Incident templates: texts to start an incident or an update from."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from incidents.actions.pages import incident_templates as actions
from incidents.models import IncidentTemplate
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import sent
from statuspage.console.incident_templates.forms import IncidentTemplateForm
from statuspage.console.paging import paged


@role_required(Role.VIEWER)
def incident_template_list(request: StaffRequest) -> HttpResponse:
    page = request.page
    return render(
        request,
        "console/incident_templates/list.html",
        {"page": page, "listed": paged(page.incident_templates.in_order(), request)},
    )


@role_required(Role.EDITOR)
@require_POST
def add_built_in_templates(request: StaffRequest) -> HttpResponse:
    """Add the templates that a new page starts with, except those whose names are taken."""
    added = actions.create_built_in_templates(request.page, actor=request.user.actor)
    messages.success(
        request, ngettext("%(count)d template added.", "%(count)d templates added.", added) % {"count": added}
    )
    return redirect(console_url(request.page, "incident_templates"))


@role_required(Role.EDITOR)
def new_incident_template(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = IncidentTemplateForm(sent(request), page=page)
    if form.is_valid() and _save(
        form, lambda fields: actions.create_incident_template(page, actor=request.user.actor, **fields)
    ):
        messages.success(request, _("Template created."))
        return redirect(console_url(request.page, "incident_templates"))
    return render_form(request, "console/incident_templates/form.html", {"page": page, "form": form}, form)


@role_required(Role.EDITOR)
def edit_incident_template(request: StaffRequest, public_id: str) -> HttpResponse:
    page = request.page
    incident_template = _incident_template(request, public_id)
    initial = {name: getattr(incident_template, name) for name in IncidentTemplateForm.base_fields}
    initial["components"] = [component.public_id for component in incident_template.components.all()]
    form = IncidentTemplateForm(sent(request), page=page, initial=initial)
    if form.is_valid() and _save(
        form, lambda fields: actions.edit_incident_template(incident_template, actor=request.user.actor, **fields)
    ):
        messages.success(request, _("Template saved."))
        return redirect(console_url(request.page, "incident_templates"))
    context = {"page": page, "form": form, "incident_template": incident_template}
    return render_form(request, "console/incident_templates/form.html", context, form)


@role_required(Role.EDITOR)
@require_POST
def delete_incident_template(request: StaffRequest, public_id: str) -> HttpResponse:
    actions.delete_incident_template(_incident_template(request, public_id), actor=request.user.actor)
    messages.success(request, _("Template deleted."))
    return redirect(console_url(request.page, "incident_templates"))


@role_required(Role.VIEWER)
def redirect_old_address(request: StaffRequest) -> HttpResponse:
    """Redirect from /console/presets, the former address of the list."""
    return redirect(console_url(request.page, "incident_templates"))


def _save(form: IncidentTemplateForm, action: Any) -> bool:
    try:
        action(form.action_fields())
    except ValidationError as error:
        form.add_action_errors(error)
        return False
    return True


def _incident_template(request: StaffRequest, public_id: str) -> IncidentTemplate:
    return get_object_or_404(request.page.incident_templates.with_public_id(public_id))
