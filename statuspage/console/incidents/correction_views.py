"""Putting the record right: what was said of an incident, of its components, or never said at all."""

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
    count_of,
    moved_apart,
    past_update_forms,
)
from statuspage.console.incidents.update_views import CONFLICT
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.preferences import follow

FOUND = 20
ROWS = 100


@role_required(Role.EDITOR)
def correct_incident(request: StaffRequest, code: str) -> HttpResponse:
    """The way to everything that can be put right; title and impact are, here."""
    incident = _incident(request, code)
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
            _say_conflict(form, conflict)
        else:
            messages.success(request, "Saved. Visitors see what was corrected.")
            return redirect(console_url(request.page, "correct_incident", code))
    return _page(request, "correct", form, incident=incident, updates=_incident(request, code).updates.all())


@role_required(Role.EDITOR)
def merge_incident(request: StaffRequest, code: str) -> HttpResponse:
    page, incident = request.page, _incident(request, code)
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    others = page.incidents.merge_candidates(incident)
    form = MergeForm(sent(request), others=others.titled(words)[:FOUND] if words else others[:FOUND])
    if form.is_valid():
        kept = others.with_public_id(form.cleaned_data["into"].replace("\0", ""))
        try:
            _merge(incident, kept, form.cleaned_data["reason"], request)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, "Joined. Its address leads to this one now, and its subscribers follow.")
            return redirect(console_url(request.page, "incident", form.cleaned_data["into"]))
    return _page(request, "merge", form, incident=incident, words=words)


@role_required(Role.EDITOR)
def delete_incident(request: StaffRequest, code: str) -> HttpResponse:
    incident = _incident(request, code)
    form = DeleteForm(sent(request))
    if form.is_valid():
        try:
            changed = deletion.delete(incident, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            told = f" The history of {len(changed)} component{'s' * (len(changed) != 1)} was corrected." * bool(changed)
            messages.success(request, f"Deleted: visitors no longer see it.{told}")
            return redirect(console_url(request.page, "correct_incident", code))
    return _page(request, "delete", form, incident=incident)


@role_required(Role.EDITOR)
def restore_incident(request: StaffRequest, code: str) -> HttpResponse:
    incident = _incident(request, code)
    form = ReasonForm(sent(request))
    if form.is_valid():
        try:
            deletion.restore(incident, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, "It is on the page again.")
            return redirect(console_url(request.page, "correct_incident", code))
    return _page(request, "restore", form, incident=incident)


@role_required(Role.EDITOR)
def correct_components(request: StaffRequest, code: str) -> HttpResponse:
    update = get_object_or_404(IncidentUpdate.objects.of_page(request.page), public_id=code)
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
            _say_conflict(form, conflict)
        else:
            messages.success(request, "Saved. The status history followed, and visitors see what was corrected.")
            return redirect(console_url(request.page, "correct_incident", update.incident.public_id))
    return _page(request, "components", form, incident=update.incident, update=update)


@role_required(Role.EDITOR)
def component_history(request: StaffRequest, code: str) -> HttpResponse:
    page = request.page
    component = get_object_or_404(page.components.select_related("group", "page"), public_id=code)
    form = HistoryForm(sent(request), page=page)
    if form.is_valid():
        try:
            corrections.correct_history(component, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, "Saved. Uptime follows; what was on record before can still be recomputed.")
            return redirect(console_url(request.page, "component_history", code))
    return _page(request, "history", form, component=component, intervals=_intervals(component))


@role_required(Role.EDITOR)
def backfill(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = BackfillForm(sent(request))
    data, count = moved_apart(request.POST) if "more" in request.POST else (sent(request), count_of(request.POST))
    rows = past_update_forms(page, data, count=count)
    valid = all([form.is_valid(), *(row.is_valid() for row in rows)])
    if "more" in request.POST:
        for one in (form, *rows):
            one.errors.clear()
    elif valid and page.requires_approval and form.cleaned_data["notify"]:
        form.add_error("notify", "Here a second person approves what subscribers are told. Add it without that.")
    elif valid:
        try:
            incident = _backfill(page, form, rows, request)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, "Added to the history.")
            return redirect(console_url(request.page, "incident", incident.public_id))
    context = {"page": page, "form": form, "rows": rows, "audience": Subscriber.objects.audience(page).count()}
    context["may_add"] = len(rows) < MAX_UPDATES
    return render_form(request, "console/incidents/correct_backfill.html", context, form, *rows)


@transaction.atomic
def _merge(incident: Incident, kept: Incident | None, reason: str, request: StaffRequest) -> None:
    if kept is None:
        raise ValidationError({"into": "Choose the one that is kept."})
    merging.merge(incident, into=kept, reason=reason, actor=request.user.actor)
    follow(incident, into=kept)


def _backfill(page: Page, form: BackfillForm, rows: list[PastUpdateForm], request: StaffRequest) -> Incident:
    updates = [row.past_update() for row in rows if not row.is_empty]
    return backfilling.backfill(page, updates=updates, actor=request.user.actor, **form.cleaned_data)


def _intervals(component: Component) -> list[Any]:
    return list(component.intervals.as_corrected().with_incidents().order_by("-started_at")[:ROWS])


def _say_conflict(form: CorrectionForm, conflict: EditConflict) -> None:
    form.add_error(None, CONFLICT)
    fill_in(form, version=str(conflict.current.version))


def _incident(request: StaffRequest, code: str) -> Incident:
    found = request.page.incidents.with_details().select_related("merged_into", "page")
    return get_object_or_404(found, public_id=code)


def _page(request: StaffRequest, name: str, form: CorrectionForm, **context: Any) -> HttpResponse:
    context |= {"page": request.page, "form": form}
    template = "console/incidents/correct.html" if name == "correct" else f"console/incidents/correct_{name}.html"
    return render_form(request, template, context, form)
