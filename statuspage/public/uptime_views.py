import json
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse

from incidents.models import Component, Page
from incidents.reporting.uptime import Weights
from statuspage.common.shared_reads import current_time
from statuspage.common.urls import current_page
from statuspage.public import uptime_export
from statuspage.public.http_caching import public_page, rendered
from statuspage.public.uptime import calendar_page, component_uptime
from statuspage.public.uptime_reads import shown_component


@public_page
def uptime(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    number = request.GET.get("page", "1")
    public_id = request.GET.get("component", "")
    is_number = number.isdecimal() and len(number) < 6
    calendar = calendar_page(page, int(number), public_id, now=current_time()) if is_number else None
    if calendar is None:
        raise Http404
    return rendered(
        "public/uptime/calendar.html", {"page": page, "calendar": calendar, "weights": Weights.for_page(page)}
    )


@public_page
def component(request: HttpRequest, public_id: str) -> HttpResponse:
    page = current_page(request)
    uptime = component_uptime(page, _component(page, public_id), now=current_time())
    return rendered("public/uptime/component.html", {"page": page, "uptime": uptime, "weights": Weights.for_page(page)})


@public_page
def component_json(request: HttpRequest, public_id: str) -> HttpResponse:
    page = current_page(request)
    component, now = _component(page, public_id), _this_second()
    content_type = "application/json; charset=utf-8"
    try:
        export_request = uptime_export.read_request(request.GET.dict(), page, now=now)
    except uptime_export.InvalidExportRequest as error:
        return HttpResponse(_dump({"error": str(error)}), content_type=content_type, status=400)
    return HttpResponse(
        _dump(uptime_export.as_json(uptime_export.uptime_export(page, component, export_request, now=now))),
        content_type=content_type,
    )


@public_page
def component_csv(request: HttpRequest, public_id: str) -> HttpResponse:
    page = current_page(request)
    component, now = _component(page, public_id), _this_second()
    try:
        export_request = uptime_export.read_request(request.GET.dict(), page, now=now)
    except uptime_export.InvalidExportRequest as error:
        return HttpResponse(f"{error}\n", content_type="text/plain; charset=utf-8", status=400)
    text = uptime_export.as_csv(uptime_export.uptime_export(page, component, export_request, now=now))
    headers = {"Content-Disposition": f'attachment; filename="uptime-{component.public_id}.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def _component(page: Page, public_id: str) -> Component:
    component = shown_component(page, public_id)
    if component is None:
        raise Http404
    return component


def _this_second() -> datetime:
    """Return the current time without fractions: times in the files are easier to read and to recalculate."""
    return current_time().replace(microsecond=0)


def _dump(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
