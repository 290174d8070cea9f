import sys
from datetime import datetime

from django.core.exceptions import RequestDataTooBig
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import http_date
from django.utils.log import log_response

from incidents.models import Page
from incidents.reporting.uptime import Weights, midnight
from incidents.visibility import Viewer
from statuspage.common.database_errors import database_failure
from statuspage.common.database_middleware import API_PATHS, unavailable
from statuspage.common.json_responses import json_response, json_text
from statuspage.common.shared_reads import current_time
from statuspage.common.urls import absolute_url, current_page
from statuspage.public.calendar import calendar_event, calendar_feed
from statuspage.public.feeds import incident_feed
from statuspage.public.history import history_page
from statuspage.public.http_caching import named_by_content, public_page, rendered
from statuspage.public.json.history import history_body
from statuspage.public.live import UNKNOWN, version
from statuspage.public.page_state import incident_report, page_state
from statuspage.public.theme import accent_code
from statuspage.public.uptime import bars_of


@public_page
def home(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    now = current_time()
    state = page_state(page, now=now)
    context = {"page": page, "state": state, "weights": Weights.for_page(page)}
    # Rounded down to the minute, so that the page does not change within it.
    context["as_of"] = now.replace(second=0, microsecond=0)
    context |= {"bars": bars_of(page, state.components, now=now), "version": version(page, now=now)}
    return rendered("public/home/home.html", context, changed_at=state.changed_at)


@public_page
def incident(request: HttpRequest, public_id: str) -> HttpResponse:
    page = current_page(request)
    report = incident_report(page, public_id)
    if report is None:
        return _merged(page, public_id)
    context = {"page": page, "report": report, "version": UNKNOWN}
    return rendered("public/incident/incident.html", context, changed_at=page.updated_at)


def _merged(page: Page, public_id: str) -> HttpResponse:
    """Show a link to the incident that the requested one was merged into.

    Not a redirect, because this page is published as a file, which any web server can serve.
    """
    duplicate = get_object_or_404(page.incidents.with_public_path().select_related("merged_into"), public_id=public_id)
    context: dict[str, object] = {"page": page, "incident": duplicate.merged_into}
    return rendered("public/incident/merged.html", context, changed_at=page.updated_at)


@public_page
def accent(request: HttpRequest, colors: str) -> HttpResponse:
    """Return a style sheet with the page's accent colors. They are part of its path."""
    accents = current_page(request).accents
    if accents is None or colors != accent_code(accents):
        raise Http404
    light, dark = accents
    rules = f":root{{--accent:{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{--accent:{dark}}}}}\n"
    return HttpResponse(rules, content_type="text/css; charset=utf-8")


@named_by_content
def logo(request: HttpRequest, digest: str) -> HttpResponse:
    for logo in current_page(request).logos:
        if logo.digest == digest:
            return HttpResponse(bytes(logo.content), content_type="image/webp")
    raise Http404


@public_page
def history(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """Show `/history` or `/history/2`. `/history?page=2`, as on Statuspage, is the same with a canonical link."""
    page, now = current_page(request), current_time()
    is_statuspage_url = number is None
    requested_page = request.GET.get("page", "1")
    if number is None and requested_page.isdecimal() and len(requested_page) < 6:
        number = int(requested_page)
    history = None if number is None else history_page(page, number, now=now)
    if history is None:
        raise Http404
    path = reverse("public:history_page", args=[number]) if history.newer else reverse("public:history")
    context = {"page": page, "history": history, "canonical": absolute_url(page, path)}
    if is_statuspage_url:
        # Programs read these data from the page (contract section 2.2). Same as /history.json.
        context["props"] = json_text(history_body(page, history))
    return rendered("public/history/history.html", context, changed_at=history.changed_at)


@public_page
def atom(request: HttpRequest) -> HttpResponse:
    return _feed(request, "public/history/history.atom.xml", "application/atom+xml; charset=utf-8")


@public_page
def rss(request: HttpRequest) -> HttpResponse:
    return _feed(request, "public/history/history.rss.xml", "application/rss+xml; charset=utf-8", upcoming_first=True)


@public_page
def maintenances_ics(request: HttpRequest) -> HttpResponse:
    """Return the calendar to subscribe to. `?component=` limits it to maintenances of one component."""
    page, now = current_page(request), current_time()
    component = None
    if "component" in request.GET:
        shown = page.components.visible_to(Viewer.PUBLIC).select_related("group")
        # PostgreSQL rejects null characters in a query.
        component = get_object_or_404(shown, public_id=request.GET["component"].replace("\0", ""))
    today = midnight(now.astimezone(page.zone).date(), page.zone)
    return _calendar(calendar_feed(page, now=now, component=component), changed_at=max(page.updated_at, today))


@public_page
def maintenance_ics(request: HttpRequest, public_id: str) -> HttpResponse:
    page = current_page(request)
    shown = page.incidents.visible_to(Viewer.PUBLIC).maintenances().with_details()
    maintenance = get_object_or_404(shown, public_id=public_id)
    answer = _calendar(calendar_event(page, maintenance), changed_at=page.updated_at)
    answer["Content-Disposition"] = f'attachment; filename="maintenance-{maintenance.public_id}.ics"'
    return answer


def _calendar(content: bytes, *, changed_at: datetime) -> HttpResponse:
    answer = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    answer["Last-Modified"] = http_date(changed_at.timestamp())
    return answer


@public_page
def robots(request: HttpRequest) -> HttpResponse:
    return rendered("public/robots.txt", {}, content_type="text/plain; charset=utf-8")


@public_page
def missing(request: HttpRequest) -> HttpResponse:
    """Return the 404 page for web servers that serve the published files."""
    return rendered("404.html", {"page": current_page(request)})


@public_page
def away(request: HttpRequest) -> HttpResponse:
    """Return the 502 page, for when the application does not respond."""
    return rendered("public/away.html", {"page": current_page(request)})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond to a request that Django rejects, with one line in the log."""
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    message = str(exception)[:200]
    if request.path.startswith(API_PATHS):
        response = json_response({"error": message, "message": message}, status=status)
    else:
        response = rendered("400.html", {"message": message, "status": status}, status=status)
    log_response("Rejected request to %s: %s", request.path, message, response=response, request=request)
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return rendered("404.html", {"page": _page_or_none(request)}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Show the error page without a database query: the database may be what failed, outside of a view."""
    if failure := database_failure(sys.exc_info()[1]):
        return unavailable(request, failure)
    return rendered("500.html", {}, status=500)


def _feed(request: HttpRequest, template: str, content_type: str, *, upcoming_first: bool = False) -> HttpResponse:
    page = current_page(request)
    context: dict[str, object] = {"feed": incident_feed(page, upcoming_first=upcoming_first)}
    return rendered(template, context, changed_at=page.updated_at, content_type=content_type)


def _page_or_none(request: HttpRequest) -> Page | None:
    try:
        return current_page(request)
    except (Http404, Error):
        return None
