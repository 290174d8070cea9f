from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from incidents import clock
from incidents.actions.maintenances import maintenance_series as actions
from incidents.errors import EditConflict
from incidents.models import MaintenanceSeries
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import fill_in, sent
from statuspage.console.maintenances.next_step import next_step
from statuspage.console.maintenances.schedule_warnings import repeat_warnings
from statuspage.console.maintenances.series_forms import EndSeriesForm, SeriesForm, repeat_of
from statuspage.console.paging import paged
from statuspage.subscribers.models import Subscriber

CONFLICT = "Someone else changed this recurring maintenance. Review the changes; your text is kept."
PAST_PER_PAGE = 10


@role_required(Role.VIEWER)
def series(request: StaffRequest, public_id: str) -> HttpResponse:
    return _render(request, _get_series(request, public_id))


@role_required(Role.EDITOR)
def edit_series(request: StaffRequest, public_id: str) -> HttpResponse:
    """Edit all future occurrences. Occurrences that were rescheduled or canceled separately do not change."""
    series = _get_series(request, public_id)
    form = SeriesForm(sent(request), series=series)
    problem = form.repeat_problem()
    if "preview" in request.POST:
        form.errors.clear()
    elif form.is_valid() and form.repetition and not form.warn(_warnings(form)):
        try:
            _edit(form, request)
        except ValidationError as error:
            form.add_action_errors(error)
        except EditConflict as conflict:
            form.add_error(None, CONFLICT)
            fill_in(form, version=str(conflict.current.version))
        else:
            messages.success(request, "Series saved. The scheduled occurrences were updated.")
            return redirect(console_url(request.page, "series", series.public_id))
    elif "version" in form.errors:
        fill_in(form, version=str(series.version))
    repetition = form.repetition if form.is_bound else repeat_of(series)
    context = {
        "page": series.page,
        "series": series,
        "form": form,
        "dates": repetition.dates() if repetition else [],
        "problem": problem,
    }
    if request.htmx:
        return render(request, "console/maintenances/schedule.html#dates", context)
    context |= {"audience": Subscriber.objects.audience(series.page).count(), "previewed": form["body"].value() or ""}
    return render_form(request, "console/maintenances/schedule.html", context, form)


@role_required(Role.EDITOR)
def end_series(request: StaffRequest, public_id: str) -> HttpResponse:
    series = _get_series(request, public_id)
    form = EndSeriesForm(sent(request), series=series)
    if request.method != "POST":
        return redirect(console_url(request.page, "series", series.public_id))
    if form.is_valid():
        cleaned = form.cleaned_data
        fields: dict[str, Any] = {name: cleaned[name] for name in ("cancel_upcoming", "body", "notify")}
        try:
            actions.end_series(series, actor=request.user.actor, expected_version=cleaned["version"], **fields)
        except ValidationError as error:
            form.add_action_errors(error)
        except EditConflict as conflict:
            form.add_error(None, CONFLICT)
            fill_in(form, version=str(conflict.current.version))
        else:
            messages.success(request, "Series ended.")
            return redirect(console_url(request.page, "series", series.public_id))
    elif "version" in form.errors:
        fill_in(form, version=str(series.version))
    return _render(request, _get_series(request, public_id), form)


def _render(request: StaffRequest, series: MaintenanceSeries, form: EndSeriesForm | None = None) -> HttpResponse:
    now = clock.now()
    context = {
        "page": series.page,
        "series": series,
        "components": series.components.in_page_order(),
        "ahead": [
            (maintenance, next_step(maintenance, now=now)) for maintenance in series.occurrences.ahead().soonest_first()
        ],
        "listed": paged(series.occurrences.ended().newest_first(), request, per_page=PAST_PER_PAGE),
        "form": form or EndSeriesForm(series=series),
        "audience": Subscriber.objects.audience(series.page).count(),
    }
    return render_form(request, "console/maintenances/series.html", context, form)


def _get_series(request: StaffRequest, public_id: str) -> MaintenanceSeries:
    return get_object_or_404(request.page.maintenance_series.select_related("page"), public_id=public_id)


def _warnings(form: SeriesForm) -> list[str]:
    if not form.repetition:
        return []
    return list(repeat_warnings(form.page, form.cleaned_data["components"], form.repetition, other_than=form.series))


def _edit(form: SeriesForm, request: StaffRequest) -> None:
    if not form.repetition:
        return
    cleaned = form.cleaned_data
    fields: dict[str, Any] = {name: cleaned[name] for name in ("title", "body", "components", "notify")}
    fields |= {"options": form.options(), "expected_version": cleaned["version"]}
    actions.edit_series(form.series, actor=request.user.actor, **form.repetition.action_fields(), **fields)
