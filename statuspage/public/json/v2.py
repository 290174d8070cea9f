"""Statuspage's public API v2 (contract section 1; docs/statuspage-compatibility.md).

A list has at most 50 entries, without paging. The number of queries does not grow with the number of rows.
"""

import re
from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.views.decorators.csrf import csrf_exempt

from incidents.models import Component, Incident, Page
from incidents.models.incidents import IncidentQuerySet
from incidents.status import Headline, page_status
from incidents.statuspage_json import Json
from incidents.visibility import Viewer
from statuspage.common.json_responses import json_not_found, json_response, v2_serializer
from statuspage.common.shared_reads import shared
from statuspage.common.urls import current_page
from statuspage.public.http_caching import open_page
from statuspage.public.page_state import read_incidents, shown_components

MAX_LISTED = 50


@open_page
def summary(request: HttpRequest) -> HttpResponse:
    """Costs six queries."""
    page = current_page(request)
    serializer, components = v2_serializer(page), shown_components(page)
    # One call for both halves the number of queries.
    incidents, ahead = read_incidents(
        _incidents(page).unresolved().latest_first(), _maintenances(page).ahead().soonest_first()
    )
    shown = ids_of_shown(components)
    body = {
        "components": _components_json(page, tuple(components)),
        "incidents": [_incident_json(incident, shown) for incident in incidents],
        "scheduled_maintenances": [_maintenance_json(maintenance, shown) for maintenance in ahead],
        "status": serializer.status(_headline(components, incidents)),
    }
    return _response(page, body)


@open_page
def status(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    headline = _headline(shown_components(page), _incidents(page).unresolved())
    return _response(page, {"status": v2_serializer(page).status(headline)})


@open_page
def components(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _response(page, {"components": _components_json(page, tuple(shown_components(page)))})


@open_page
def incidents(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _incidents_response(page, _incidents(page))


@open_page
def unresolved(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _incidents_response(page, _incidents(page).unresolved())


@open_page
def resolved(request: HttpRequest) -> HttpResponse:
    """Not documented by Statuspage, but requested by its own script."""
    page = current_page(request)
    return _incidents_response(page, _incidents(page).ended())


@open_page
def maintenances(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _maintenances_response(page, _maintenances(page).latest_scheduled_first())


@open_page
def upcoming(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _maintenances_response(page, _maintenances(page).upcoming().soonest_first())


@open_page
def active(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _maintenances_response(page, _maintenances(page).running().soonest_first())


@csrf_exempt
def loosely_written(request: HttpRequest) -> HttpResponseBase:
    """Serve `//api/v2/incidents.json` and `/api/v2/Incidents.json`, which existing clients request.

    The API does not read cookies, so it needs no CSRF protection.
    """
    path = "/" + re.sub(r"/+", "/", request.path_info).strip("/").lower()
    match = resolve(path)
    if match.view_name == "public:v2_loosely_written":
        return json_not_found()
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response


def components_on_page(incident: Incident, shown: frozenset[int]) -> list[Component]:
    """Return the affected components that the page still shows."""
    return [component for component in incident.affected_components() if component.pk in shown]


def ids_of_shown(components: Iterable[Component]) -> frozenset[int]:
    return frozenset(component.pk for component in components)


def _incidents(page: Page) -> IncidentQuerySet:
    return page.incidents.visible_to(Viewer.PUBLIC).incidents()


def _maintenances(page: Page) -> IncidentQuerySet:
    return page.incidents.visible_to(Viewer.PUBLIC).maintenances()


def _headline(components: Iterable[Component], open_incidents: Iterable[Incident]) -> Headline:
    """Return the headline of the home page."""
    return page_status(
        [component.status for component in components], open_impacts=[incident.impact for incident in open_incidents]
    )


def _incidents_response(page: Page, incidents: IncidentQuerySet) -> HttpResponse:
    (listed,) = read_incidents(incidents.latest_first()[:MAX_LISTED])
    shown = ids_of_shown(shown_components(page))
    return _response(page, {"incidents": [_incident_json(incident, shown) for incident in listed]})


def _maintenances_response(page: Page, maintenances: IncidentQuerySet) -> HttpResponse:
    (listed,) = read_incidents(maintenances[:MAX_LISTED])
    shown = ids_of_shown(shown_components(page))
    return _response(page, {"scheduled_maintenances": [_maintenance_json(row, shown) for row in listed]})


# Several lists contain the same incidents, which `read_incidents` reads once in a publication.
@shared
def _incident_json(incident: Incident, shown: frozenset[int]) -> Json:
    return v2_serializer(incident.page).incident(incident, components_on_page(incident, shown))


@shared
def _maintenance_json(maintenance: Incident, shown: frozenset[int]) -> Json:
    return v2_serializer(maintenance.page).maintenance(maintenance, components_on_page(maintenance, shown))


@shared
def _components_json(page: Page, components: tuple[Component, ...]) -> list[Json]:
    return v2_serializer(page).components(components)


def _response(page: Page, body: Json) -> HttpResponse:
    return json_response({"page": v2_serializer(page).page_object()} | body, changed_at=page.updated_at)
