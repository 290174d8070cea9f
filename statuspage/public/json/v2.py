"""Statuspage's public API v2: what its clients read, unchanged (contract section 1; docs/statuspage-compatibility.md).

Lists of their own are cut after 50 entries; there are no pages. The number of queries does not grow with the number
of rows.
"""

import re
from collections.abc import Iterable

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.views.decorators.csrf import csrf_exempt

from incidents.models import Component, Incident, Page
from incidents.models.incidents import IncidentQuerySet
from incidents.models.updates import timeline
from incidents.status import Headline, page_status
from incidents.statuspage_json import Json, V2Serializer
from incidents.visibility import Viewer
from statuspage.common.json_responses import json_answer, json_not_found, v2_serializer
from statuspage.common.urls import current_page
from statuspage.public.http import open_page

LISTED = 50


@open_page
def summary(request: HttpRequest) -> HttpResponse:
    """Six queries."""
    page = current_page(request)
    serializer, components = v2_serializer(page), _components(page)
    shown = {component.pk for component in components}
    incidents = list(_incidents(page).unresolved().latest_first().select_related("postmortem"))
    ahead = list(_maintenances(page).ahead().soonest_first().select_related("postmortem"))
    # Both at once: half the queries.
    prefetch_related_objects([*incidents, *ahead], timeline())
    body = {
        "components": serializer.components(components),
        "incidents": incident_rows(serializer, incidents, shown),
        "scheduled_maintenances": _maintenance_rows(serializer, ahead, shown),
        "status": serializer.status(_headline(components, incidents)),
    }
    return _answer(page, body)


@open_page
def status(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    headline = _headline(_components(page), _incidents(page).unresolved())
    return _answer(page, {"status": v2_serializer(page).status(headline)})


@open_page
def components(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _answer(page, {"components": v2_serializer(page).components(_components(page))})


@open_page
def incidents(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _incident_list(page, _incidents(page))


@open_page
def unresolved(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _incident_list(page, _incidents(page).unresolved())


@open_page
def resolved(request: HttpRequest) -> HttpResponse:
    """Documented nowhere, asked for by Statuspage's own script."""
    page = current_page(request)
    return _incident_list(page, _incidents(page).ended())


@open_page
def maintenances(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _maintenance_list(page, _maintenances(page).latest_scheduled_first())


@open_page
def upcoming(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _maintenance_list(page, _maintenances(page).upcoming().soonest_first())


@open_page
def active(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    return _maintenance_list(page, _maintenances(page).running().soonest_first())


@csrf_exempt
def loosely_written(request: HttpRequest) -> HttpResponseBase:
    """`//api/v2/incidents.json` and `/api/v2/Incidents.json`, which clients in use ask for. Nothing here knows cookies,
    so that nothing has to be guarded from foreign pages."""
    path = "/" + re.sub(r"/+", "/", request.path_info).strip("/").lower()
    match = resolve(path)
    if match.view_name == "public:v2_loosely_written":
        return json_not_found()
    answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return answer


def incident_rows(serializer: V2Serializer, incidents: Iterable[Incident], shown: set[int]) -> list[Json]:
    """`shown`: the primary keys of the components that have a row of their own on the page."""
    return [serializer.incident(incident, components_on_page(incident, shown)) for incident in incidents]


def components_on_page(incident: Incident, shown: set[int]) -> list[Component]:
    """Of the components that it names, those that are still on the page."""
    return [component for component in incident.affected_components() if component.pk in shown]


def ids_of_shown_components(page: Page) -> set[int]:
    return set(page.components.visible_to(Viewer.PUBLIC).values_list("pk", flat=True))


def _components(page: Page) -> list[Component]:
    return list(page.components.visible_to(Viewer.PUBLIC).in_page_order())


def _incidents(page: Page) -> IncidentQuerySet:
    return page.incidents.visible_to(Viewer.PUBLIC).incidents()


def _maintenances(page: Page) -> IncidentQuerySet:
    return page.incidents.visible_to(Viewer.PUBLIC).maintenances()


def _headline(components: Iterable[Component], open_incidents: Iterable[Incident]) -> Headline:
    """The one that the home page shows."""
    return page_status(
        [component.status for component in components], open_impacts=[incident.impact for incident in open_incidents]
    )


def _incident_list(page: Page, incidents: IncidentQuerySet) -> HttpResponse:
    listed = incidents.latest_first().with_details()[:LISTED]
    return _answer(page, {"incidents": incident_rows(v2_serializer(page), listed, ids_of_shown_components(page))})


def _maintenance_list(page: Page, maintenances: IncidentQuerySet) -> HttpResponse:
    rows = _maintenance_rows(v2_serializer(page), maintenances.with_details()[:LISTED], ids_of_shown_components(page))
    return _answer(page, {"scheduled_maintenances": rows})


def _maintenance_rows(serializer: V2Serializer, maintenances: Iterable[Incident], shown: set[int]) -> list[Json]:
    return [serializer.maintenance(row, components_on_page(row, shown)) for row in maintenances]


def _answer(page: Page, body: Json) -> HttpResponse:
    return json_answer({"page": v2_serializer(page).page_object()} | body, changed_at=page.updated_at)
