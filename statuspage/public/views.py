from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from incidents.models import Page
from incidents.uptime import Weights
from statuspage.common.urls import current_page
from statuspage.public.feeds import incident_feed
from statuspage.public.history import history_page
from statuspage.public.http import public_page, rendered
from statuspage.public.state import incident_report, page_state
from statuspage.public.uptime import bars_of


@public_page
def home(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    now = timezone.now()
    state = page_state(page, now=now)
    context = {"page": page, "state": state, "weights": Weights.for_page(page)}
    context["bars"] = bars_of(page, state.components, now=now)
    return rendered("public/home.html", context, changed_at=state.changed_at)


@public_page
def incident(request: HttpRequest, code: str) -> HttpResponse:
    page = current_page(request)
    report = incident_report(page, code)
    if report is None:
        raise Http404
    return rendered("public/incident.html", {"page": page, "report": report}, changed_at=page.updated_at)


@public_page
def history(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    number = request.GET.get("page", "1")
    found = history_page(page, int(number), now=timezone.now()) if number.isdecimal() and len(number) < 6 else None
    if found is None:
        raise Http404
    return rendered("public/history.html", {"page": page, "history": found}, changed_at=found.changed_at)


@public_page
def atom(request: HttpRequest) -> HttpResponse:
    return _feed(request, "public/history.atom.xml", "application/atom+xml; charset=utf-8")


@public_page
def rss(request: HttpRequest) -> HttpResponse:
    return _feed(request, "public/history.rss.xml", "application/rss+xml; charset=utf-8")


@public_page
def robots(request: HttpRequest) -> HttpResponse:
    return rendered("public/robots.txt", {}, content_type="text/plain; charset=utf-8")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return rendered("404.html", {"page": _page_or_none(request)}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Asks the database nothing: it may be what failed."""
    return rendered("500.html", {}, status=500)


def _feed(request: HttpRequest, template: str, content_type: str) -> HttpResponse:
    page = current_page(request)
    return rendered(template, {"feed": incident_feed(page)}, changed_at=page.updated_at, content_type=content_type)


def _page_or_none(request: HttpRequest) -> Page | None:
    try:
        return current_page(request)
    except (Http404, DatabaseError):
        return None
