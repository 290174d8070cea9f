from collections.abc import Sequence
from datetime import date
from functools import partial

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from incidents import clock
from incidents.actions.incidents.impact_start import set_impact_start
from incidents.actions.pages.page_settings import set_published_figures
from incidents.actions.pages.service_level_targets import set_targets
from incidents.models import Component, Page
from incidents.visibility import Viewer
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import sent
from statuspage.console.incidents.views import incident_context
from statuspage.console.paging import paged
from statuspage.console.reports.forms import ImpactStartForm, PublishFiguresForm, TargetsForm
from statuspage.reporting.response_times import analytics as analytics_of
from statuspage.reporting.service_levels import (
    ReportSpan,
    ServiceLevelReport,
    csv_file,
    list_context,
    report_context,
    service_level_reports,
    span,
)

# The table is often printed: this many rows fit on a sheet of paper.
COMPONENTS_PER_PAGE = 100


@role_required(Role.VIEWER)
def analytics(request: StaffRequest) -> HttpResponse:
    page = request.page
    figures = analytics_of(page, request.GET.get("page", "1"), viewer=Viewer.STAFF, now=clock.now())
    if figures is None:
        raise Http404
    return render(request, "console/reports/analytics.html", {"page": page, "figures": figures})


@role_required(Role.VIEWER)
def report_list(request: StaffRequest) -> HttpResponse:
    page = request.page
    requested = _span(page, request.GET.get("period", ""))
    listed = paged(page.components.visible_to(Viewer.STAFF).in_page_order(), request, per_page=COMPONENTS_PER_PAGE)
    context = list_context(page, requested, _reports(page, list(listed), requested), url_of=partial(console_url, page))
    context |= {"listed": listed, "query": f"period={requested.period.code}"}
    return render(request, "console/reports/reports.html", context)


@role_required(Role.VIEWER)
def report_list_csv(request: StaffRequest) -> HttpResponse:
    page = request.page
    requested = _span(page, request.GET.get("period", ""))
    shown = _reports(page, list(page.components.visible_to(Viewer.STAFF).in_page_order()), requested)
    return csv_file(page, shown, name=requested.period.code)


@role_required(Role.VIEWER)
def report(request: StaffRequest, public_id: str, period: str) -> HttpResponse:
    page = request.page
    requested = _span(page, period)
    component = get_object_or_404(page.components.visible_to(Viewer.STAFF).select_related("group"), public_id=public_id)
    (service_level,) = _reports(page, [component], requested)
    return render(
        request,
        "console/reports/report.html",
        report_context(page, requested, service_level, url_of=partial(console_url, page)),
    )


@role_required(Role.VIEWER)
def report_csv(request: StaffRequest, public_id: str, period: str) -> HttpResponse:
    page = request.page
    requested = _span(page, period)
    component = get_object_or_404(page.components.visible_to(Viewer.STAFF).select_related("group"), public_id=public_id)
    return csv_file(page, _reports(page, [component], requested), name=f"{public_id}-{requested.period.code}")


@role_required(Role.EDITOR)
def targets(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = TargetsForm(sent(request), page=page, today=clock.now().astimezone(page.zone).date())
    if form.is_valid():
        day = form.cleaned_data["valid_from"]
        try:
            changed = set_targets(page, form.changed(), valid_from=day, actor=request.user.actor)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, targets_message(changed, day))
            return redirect(console_url(request.page, "targets"))
    context = {"page": page, "form": form}
    return render_form(request, "console/reports/targets.html", context, form)


@role_required(Role.OWNER)
def publish_figures(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = PublishFiguresForm(
        sent(request), initial={"analytics": page.analytics_public, "reports": page.reports_public}
    )
    if form.is_valid():
        set_published_figures(page, actor=request.user.actor, **form.cleaned_data)
        messages.success(request, "Settings saved.")
        return redirect(console_url(request.page, "publish_figures"))
    return render(request, "console/reports/publish_figures.html", {"page": page, "form": form})


@role_required(Role.EDITOR)
def impact_start(request: StaffRequest, public_id: str) -> HttpResponse:
    incident = get_object_or_404(request.page.incidents.with_details(), public_id=public_id)
    form = ImpactStartForm(sent(request), incident=incident)
    if form.is_valid():
        try:
            set_impact_start(incident, form.cleaned_data["impact_started_at"], actor=request.user.actor)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, "Impact start saved.")
            return redirect(console_url(request.page, "incident", incident.public_id))
    context = incident_context(request, incident) | {"impact_form": form}
    return render_form(request, "console/incidents/incident.html", context, form)


def targets_message(changed: Sequence[Component], day: date) -> str:
    if not changed:
        return "No targets changed."
    names = changed[0].full_name if len(changed) == 1 else f"{len(changed)} components"
    return f"Targets set for {names} from {day:%b %d, %Y}."


def _span(page: Page, period: str) -> ReportSpan:
    requested = span(page, period, now=clock.now())
    if requested is None:
        raise Http404
    return requested


def _reports(page: Page, components: Sequence[Component], requested: ReportSpan) -> list[ServiceLevelReport]:
    return service_level_reports(page, components, requested.period, viewer=Viewer.STAFF, now=requested.now)
