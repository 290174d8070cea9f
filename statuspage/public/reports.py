"""Response times and service level reports. They respond with 404 unless the page publishes them.

Ongoing incidents change them with time, so they have an ETag but no Last-Modified.
"""

from collections.abc import Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from incidents import clock
from incidents.models import Component, Page
from incidents.visibility import Viewer
from statuspage.common.urls import current_page
from statuspage.public.http_caching import public_page, rendered
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


@public_page
def analytics(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    if not page.analytics_public:
        raise Http404
    figures = analytics_of(page, request.GET.get("page", "1"), viewer=Viewer.PUBLIC, now=clock.now())
    if figures is None:
        raise Http404
    return rendered("public/reports/analytics.html", {"page": page, "figures": figures})


@public_page
def report_list(request: HttpRequest) -> HttpResponse:
    page = _page(request)
    reporting_span = _span(page, request.GET.get("period", ""))
    reports = _sheets(page, _components(page), reporting_span)
    return rendered("public/reports/list.html", list_context(page, reporting_span, reports, url_of=_url))


@public_page
def report_list_csv(request: HttpRequest) -> HttpResponse:
    page = _page(request)
    reporting_span = _span(page, request.GET.get("period", ""))
    return csv_file(page, _sheets(page, _components(page), reporting_span), name=reporting_span.period.code)


@public_page
def report(request: HttpRequest, public_id: str, period: str) -> HttpResponse:
    page = _page(request)
    reporting_span = _span(page, period)
    (service_level,) = _sheets(page, [_component(page, public_id)], reporting_span)
    return rendered("public/reports/report.html", report_context(page, reporting_span, service_level, url_of=_url))


@public_page
def report_csv(request: HttpRequest, public_id: str, period: str) -> HttpResponse:
    page = _page(request)
    reporting_span = _span(page, period)
    return csv_file(
        page,
        _sheets(page, [_component(page, public_id)], reporting_span),
        name=f"{public_id}-{reporting_span.period.code}",
    )


def _page(request: HttpRequest) -> Page:
    page = current_page(request)
    if not page.reports_public:
        raise Http404
    return page


def _span(page: Page, period: str) -> ReportSpan:
    reporting_span = span(page, period, now=clock.now())
    if reporting_span is None:
        raise Http404
    return reporting_span


def _components(page: Page) -> list[Component]:
    return list(page.components.visible_to(Viewer.PUBLIC).showcased().in_page_order())


def _component(page: Page, public_id: str) -> Component:
    matching = [component for component in _components(page) if component.public_id == public_id]
    if not matching:
        raise Http404
    return matching[0]


def _sheets(page: Page, components: Sequence[Component], reporting_span: ReportSpan) -> list[ServiceLevelReport]:
    return service_level_reports(page, components, reporting_span.period, viewer=Viewer.PUBLIC, now=reporting_span.now)


def _url(name: str, *args: object) -> str:
    return reverse(f"public:{name}", args=args)
