from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents.actions.maintenances import maintenance_lifecycle as actions
from incidents.actions.maintenances import maintenance_series as series_actions
from incidents.models import Incident, IncidentUpdate, MaintenanceSeries
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import sent
from statuspage.console.incidents.update_views import respond_to_form
from statuspage.console.maintenances.forms import (
    ScheduleForm,
    cancel_form,
    complete_form,
    options_form,
    reschedule_form,
    start_form,
)
from statuspage.console.maintenances.schedule_warnings import repeat_warnings, window_warnings
from statuspage.subscribers.models import Subscriber


@role_required(Role.EDITOR)
def schedule(request: StaffRequest) -> HttpResponse:
    """Schedule a maintenance or a series. For htmx, return the next dates of the series."""
    page = request.page
    form = ScheduleForm(sent(request), page=page)
    problem = form.repeat_problem()
    if "preview" in request.POST:
        form.errors.clear()
    elif form.is_valid() and not form.warn(_warnings(form)):
        try:
            made = _schedule(form, request)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, "Maintenance scheduled.")
            name = "series" if isinstance(made, MaintenanceSeries) else "incident"
            return redirect(console_url(page, name, made.public_id))
    context = {
        "page": page,
        "form": form,
        "dates": form.repetition.dates() if form.repetition else [],
        "problem": problem,
    }
    if request.htmx:
        return render(request, "console/maintenances/schedule.html#dates", context)
    context |= {"audience": Subscriber.objects.audience(page).count(), "previewed": form["body"].value() or ""}
    return render_form(request, "console/maintenances/schedule.html", context, form)


@role_required(Role.EDITOR)
@require_POST
def start(request: StaffRequest, public_id: str) -> HttpResponse:
    maintenance, actor = _maintenance(request, public_id), request.user.actor
    form = start_form(maintenance, request.POST)

    def perform() -> IncidentUpdate:
        return actions.start(maintenance, form.update_input(), actor=actor)

    return respond_to_form(request, maintenance, form, perform, message="Maintenance started.")


@role_required(Role.EDITOR)
@require_POST
def complete(request: StaffRequest, public_id: str) -> HttpResponse:
    maintenance, actor = _maintenance(request, public_id), request.user.actor
    form = complete_form(maintenance, request.POST)

    def perform() -> IncidentUpdate:
        return actions.complete(maintenance, form.update_input(), restore=form.restored(), actor=actor)

    return respond_to_form(request, maintenance, form, perform, message="Maintenance completed.")


@role_required(Role.EDITOR)
@require_POST
def cancel(request: StaffRequest, public_id: str) -> HttpResponse:
    maintenance, actor = _maintenance(request, public_id), request.user.actor
    form = cancel_form(maintenance, request.POST)

    def perform() -> IncidentUpdate:
        return actions.cancel(maintenance, form.update_input(), actor=actor)

    return respond_to_form(request, maintenance, form, perform, message="Maintenance canceled.")


@role_required(Role.EDITOR)
@require_POST
def change_options(request: StaffRequest, public_id: str) -> HttpResponse:
    maintenance, actor = _maintenance(request, public_id), request.user.actor
    form = options_form(maintenance, request.POST)

    def perform() -> Incident:
        return actions.change_options(maintenance, actor=actor, **form.action_fields())

    return respond_to_form(request, maintenance, form, perform, message="Options saved.")


@role_required(Role.EDITOR)
@require_POST
def reschedule(request: StaffRequest, public_id: str) -> HttpResponse:
    maintenance, actor = _maintenance(request, public_id), request.user.actor
    form = reschedule_form(maintenance, request.POST)
    if "preview" not in request.POST and form.is_valid():
        named = maintenance.affected_components()
        form.warn(list(window_warnings(maintenance.page, named, [form.window()], other_than=maintenance)))

    def perform() -> IncidentUpdate:
        window = {name: form.cleaned_data[name] for name in ("scheduled_for", "scheduled_until")}
        return actions.reschedule(maintenance, form.update_input(), **window, actor=actor)

    return respond_to_form(request, maintenance, form, perform, message="Maintenance rescheduled.")


def _maintenance(request: StaffRequest, public_id: str) -> Incident:
    shown = request.page.incidents.maintenances().select_related("page").with_details()
    return get_object_or_404(shown, public_id=public_id)


def _warnings(form: ScheduleForm) -> list[str]:
    components = form.cleaned_data["components"]
    if form.repetition:
        return list(repeat_warnings(form.page, components, form.repetition))
    return list(window_warnings(form.page, components, [form.window()]))


def _schedule(form: ScheduleForm, request: StaffRequest) -> Incident | MaintenanceSeries:
    names = ("title", "body", "components", "notify", "submission_key")
    fields: dict[str, Any] = {name: form.cleaned_data[name] for name in names}
    fields |= {"options": form.options(), "actor": request.user.actor}
    if form.repetition:
        return series_actions.create_series(form.page, **form.repetition.action_fields(), **fields)
    start, end = form.window()
    return actions.schedule(form.page, scheduled_for=start, scheduled_until=end, **fields)
