from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

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

CONFLICT = "Somebody else changed this series while you were writing. Look at it once more; your text is still here."
PAST_PER_PAGE = 10


@role_required(Role.VIEWER)
def series(request: StaffRequest, code: str) -> HttpResponse:
    return _page(request, _series(request, code))


@role_required(Role.EDITOR)
def edit_series(request: StaffRequest, code: str) -> HttpResponse:
    """The whole series from now on. What was moved or cancelled alone stays as it is."""
    found = _series(request, code)
    form = SeriesForm(sent(request), series=found)
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
            messages.success(request, "Saved. What is on the page has moved along.")
            return redirect(console_url(request.page, "series", found.public_id))
    elif "version" in form.errors:
        fill_in(form, version=str(found.version))
    repetition = form.repetition if form.is_bound else repeat_of(found)
    context = {
        "page": found.page,
        "series": found,
        "form": form,
        "dates": repetition.dates() if repetition else [],
        "problem": problem,
    }
    if request.htmx:
        return render(request, "console/maintenances/schedule.html#dates", context)
    context |= {"audience": Subscriber.objects.audience(found.page).count(), "previewed": form["body"].value() or ""}
    return render_form(request, "console/maintenances/schedule.html", context, form)


@role_required(Role.EDITOR)
def end_series(request: StaffRequest, code: str) -> HttpResponse:
    found = _series(request, code)
    form = EndSeriesForm(sent(request), series=found)
    if request.method != "POST":
        return redirect(console_url(request.page, "series", found.public_id))
    if form.is_valid():
        cleaned = form.cleaned_data
        fields: dict[str, Any] = {name: cleaned[name] for name in ("cancel_upcoming", "body", "notify")}
        try:
            actions.end_series(found, actor=request.user.actor, expected_version=cleaned["version"], **fields)
        except ValidationError as error:
            form.add_action_errors(error)
        except EditConflict as conflict:
            form.add_error(None, CONFLICT)
            fill_in(form, version=str(conflict.current.version))
        else:
            messages.success(request, "The series has ended.")
            return redirect(console_url(request.page, "series", found.public_id))
    elif "version" in form.errors:
        fill_in(form, version=str(found.version))
    return _page(request, _series(request, code), form)


def _page(request: StaffRequest, found: MaintenanceSeries, form: EndSeriesForm | None = None) -> HttpResponse:
    now = timezone.now()
    context = {
        "page": found.page,
        "series": found,
        "components": found.components.in_page_order(),
        "ahead": [(one, next_step(one, now=now)) for one in found.occurrences.ahead().soonest_first()],
        "listed": paged(found.occurrences.ended().newest_first(), request, per_page=PAST_PER_PAGE),
        "form": form or EndSeriesForm(series=found),
        "audience": Subscriber.objects.audience(found.page).count(),
    }
    return render_form(request, "console/maintenances/series.html", context, form)


def _series(request: StaffRequest, code: str) -> MaintenanceSeries:
    return get_object_or_404(request.page.maintenance_series.select_related("page"), public_id=code)


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
