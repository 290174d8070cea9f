"""Corrections: edit, merge, delete and restore incidents, correct status history, add past incidents."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from incidents.actions.incidents import attributes, backfilling, component_corrections, corrections, deletion, merging
from incidents.errors import EditConflict
from incidents.models import Component, Incident, IncidentUpdate, Page
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import fill_in, sent
from statuspage.console.incidents.correction_forms import (
    MAX_UPDATES,
    BackfillForm,
    CorrectionForm,
    DeleteForm,
    DetailsForm,
    HistoryForm,
    MergeForm,
    PastUpdateForm,
    ReasonForm,
    UpdateComponentsForm,
    past_update_forms,
    row_count,
    with_inserted_row,
)
from statuspage.console.incidents.update_views import CONFLICT
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.preferences import follow

MAX_CANDIDATES = 20
MAX_INTERVALS = 100


@role_required(Role.EDITOR)
def correct_incident(request: StaffRequest, public_id: str) -> HttpResponse:
    """Edit the title and impact of an incident. The page links to the other corrections."""
    incident = _incident(request, public_id)
    form = DetailsForm(sent(request), incident=incident)
    if form.is_valid():
        try:
            attributes.edit_details(
                incident,
                actor=request.user.actor,
                title=form.cleaned_data["title"],
                impact_override=form.cleaned_data.get("impact"),
                expected_version=form.cleaned_data["version"],
            )
        except ValidationError as error:
            form.add_action_errors(error)
        except EditConflict as conflict:
            _add_conflict(form, conflict)
        else:
            messages.success(request, "Saved. The correction is shown on the public page.")
            return redirect(console_url(request.page, "correct_incident", public_id))
    return _render(request, "correct", form, incident=incident, updates=_incident(request, public_id).updates.all())


@role_required(Role.EDITOR)
def merge_incident(request: StaffRequest, public_id: str) -> HttpResponse:
    page, incident = request.page, _incident(request, public_id)
    query = request.GET.get("q", "").replace("\0", "").strip()[:100]
    others = page.incidents.merge_candidates(incident)
    form = MergeForm(sent(request), others=others.titled(query)[:MAX_CANDIDATES] if query else others[:MAX_CANDIDATES])
    if form.is_valid():
        survivor = others.with_public_id(form.cleaned_data["into"].replace("\0", ""))
        try:
            _merge(incident, survivor, form.cleaned_data["reason"], request)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(
                request,
                "Incidents merged. The old address redirects here, and its subscribers now follow this incident.",
            )
            return redirect(console_url(request.page, "incident", form.cleaned_data["into"]))
    return _render(request, "merge", form, incident=incident, query=query)


@role_required(Role.EDITOR)
def delete_incident(request: StaffRequest, public_id: str) -> HttpResponse:
    incident = _incident(request, public_id)
    form = DeleteForm(sent(request))
    if form.is_valid():
        try:
            changed = deletion.delete(incident, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            note = f" Status history of {len(changed)} component{'s' * (len(changed) != 1)} corrected." * bool(changed)
            messages.success(request, f"Incident deleted.{note}")
            return redirect(console_url(request.page, "correct_incident", public_id))
    return _render(request, "delete", form, incident=incident)


@role_required(Role.EDITOR)
def restore_incident(request: StaffRequest, public_id: str) -> HttpResponse:
    incident = _incident(request, public_id)
    form = ReasonForm(sent(request))
    if form.is_valid():
        try:
            deletion.restore(incident, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, "Incident restored.")
            return redirect(console_url(request.page, "correct_incident", public_id))
    return _render(request, "restore", form, incident=incident)


@role_required(Role.EDITOR)
def correct_components(request: StaffRequest, public_id: str) -> HttpResponse:
    update = get_object_or_404(IncidentUpdate.objects.of_page(request.page), public_id=public_id)
    form = UpdateComponentsForm(sent(request), update=update)
    if form.is_valid():
        cleaned = form.cleaned_data
        try:
            component_corrections.correct_components(
                update,
                cleaned["components"],
                reason=cleaned["reason"],
                actor=request.user.actor,
                expected_version=cleaned["version"],
            )
        except ValidationError as error:
            form.add_action_errors(error)
        except EditConflict as conflict:
            _add_conflict(form, conflict)
        else:
            messages.success(
                request, "Saved. The status history was updated, and the correction is shown on the public page."
            )
            return redirect(console_url(request.page, "correct_incident", update.incident.public_id))
    return _render(request, "components", form, incident=update.incident, update=update)


@role_required(Role.EDITOR)
def component_history(request: StaffRequest, public_id: str) -> HttpResponse:
    page = request.page
    component = get_object_or_404(page.components.select_related("group", "page"), public_id=public_id)
    form = HistoryForm(sent(request), page=page)
    if form.is_valid():
        try:
            corrections.correct_history(component, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(
                request, 'Saved. Uptime was recalculated. Earlier figures remain reproducible with "as of" a date.'
            )
            return redirect(console_url(request.page, "component_history", public_id))
    return _render(request, "history", form, component=component, intervals=_intervals(component))


@role_required(Role.EDITOR)
def backfill(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = BackfillForm(sent(request))
    data, count = (
        with_inserted_row(request.POST) if "more" in request.POST else (sent(request), row_count(request.POST))
    )
    rows = past_update_forms(page, data, count=count)
    valid = all([form.is_valid(), *(row.is_valid() for row in rows)])
    if "more" in request.POST:
        for submitted in (form, *rows):
            submitted.errors.clear()
    elif valid:
        try:
            incident = _backfill(page, form, rows, request)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, "Past incident added.")
            return redirect(console_url(request.page, "incident", incident.public_id))
    context = {"page": page, "form": form, "rows": rows, "audience": Subscriber.objects.audience(page).count()}
    context["may_add"] = len(rows) < MAX_UPDATES
    return render_form(request, "console/corrections/backfill.html", context, form, *rows)


@transaction.atomic
def _merge(incident: Incident, survivor: Incident | None, reason: str, request: StaffRequest) -> None:
    if survivor is None:
        raise ValidationError({"into": "Select an incident."})
    merging.merge(incident, into=survivor, reason=reason, actor=request.user.actor)
    follow(incident, into=survivor)


def _backfill(page: Page, form: BackfillForm, rows: list[PastUpdateForm], request: StaffRequest) -> Incident:
    updates = [row.past_update() for row in rows if not row.is_empty]
    return backfilling.backfill(page, updates=updates, actor=request.user.actor, **form.cleaned_data)


def _intervals(component: Component) -> list[Any]:
    return list(component.intervals.as_corrected().with_incidents().order_by("-started_at")[:MAX_INTERVALS])


def _add_conflict(form: CorrectionForm, conflict: EditConflict) -> None:
    form.add_error(None, CONFLICT)
    fill_in(form, version=str(conflict.current.version))


def _incident(request: StaffRequest, public_id: str) -> Incident:
    incidents = request.page.incidents.with_details().select_related("merged_into", "page")
    return get_object_or_404(incidents, public_id=public_id)


def _render(request: StaffRequest, name: str, form: CorrectionForm, **context: Any) -> HttpResponse:
    context |= {"page": request.page, "form": form}
    template = "console/corrections/incident.html" if name == "correct" else f"console/corrections/{name}.html"
    return render_form(request, template, context, form)
