"""JSON that is not part of API v2: what Statuspage's own pages request, and Candor's own formats."""

from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.vary import vary_on_headers

from incidents.models import Component, Page
from incidents.reporting.uptime import Weights
from incidents.statuspage_json import Json, V2Serializer
from statuspage.common.json_responses import json_not_found, json_response, v2_serializer
from statuspage.common.shared_reads import current_time
from statuspage.common.urls import absolute_url, current_page
from statuspage.public.history import history_page
from statuspage.public.http_caching import View, open_page
from statuspage.public.json.feed import CONTENT_TYPE, json_feed
from statuspage.public.json.history import history_body
from statuspage.public.json.incident import incident_body
from statuspage.public.page_state import showcased_components
from statuspage.public.uptime import UptimeSpan, spans_of
from statuspage.public.uptime_reads import beginnings


@open_page
def history(request: HttpRequest) -> HttpResponse:
    """`/history.json`, `/history.json?page=2`."""
    page = current_page(request)
    number = request.GET.get("page", "1")
    history = history_page(page, int(number), now=current_time()) if number.isdecimal() and len(number) < 6 else None
    if history is None:
        return json_not_found()
    return json_response(history_body(page, history), changed_at=history.changed_at)


def or_json(view: View) -> View:
    """Decorate the history page: clients that accept JSON and not HTML get `/history.json`."""

    @vary_on_headers("Accept")
    @wraps(view)
    def either(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        wanted = request.headers.get("Accept", "")
        wants_json = "application/json" in wanted and "text/html" not in wanted
        return history(request) if wants_json else view(request, *args, **kwargs)

    return either


@open_page
def incident(request: HttpRequest, public_id: str) -> HttpResponse:
    page = current_page(request)
    body = incident_body(page, public_id)
    return json_response(body, changed_at=page.updated_at) if body else json_not_found()


@open_page
def feed(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    body = json_feed(page, url=absolute_url(page, reverse("public:json_feed")))
    return json_response(body, changed_at=page.updated_at, content_type=CONTENT_TYPE)


@open_page
def uptime(request: HttpRequest) -> HttpResponse:
    """The published uptime of the last 30, 90 and 365 days, null if there is no history. Costs four queries."""
    page, now = current_page(request), current_time()
    serializer = v2_serializer(page)
    components = showcased_components(page)
    spans = spans_of(page, components, now=now)
    since = beginnings(page, components)
    body = {
        "page": serializer.page_object(),
        "weights": {status: float(weight) for status, weight in Weights.for_page(page).by_status().items()},
        "components": [
            _uptime(serializer, component, spans[component.pk])
            | {"known_since": serializer.time_or_none(since.get(component.pk)), "proof": _proof(page, component)}
            for component in components
        ],
    }
    return json_response(body)


def _uptime(serializer: V2Serializer, component: Component, spans: list[UptimeSpan]) -> Json:
    percentages = {f"{span.days}_days": None if span.percentage is None else float(span.percentage) for span in spans}
    return {"id": component.public_id, "name": component.full_name, "uptime_percentage": percentages}


def _proof(page: Page, component: Component) -> str:
    """Return the URL of the data that the percentage is computed from."""
    return absolute_url(page, reverse("public:uptime_json", args=[component.public_id]))
