from typing import Annotated

from ninja import Query
from pydantic import Field

from incidents.actions.incidents import corrections
from incidents.actions.incidents import incident_lifecycle as actions
from incidents.models import IncidentUpdate, Page
from incidents.models.incidents import IncidentQuerySet
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import Paging, PagingQuery, get_from_list_or_404, incident_of, incidents_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.incidents.actions import change, create, rename_fields
from statuspage.api.v1.incidents.schemas import (
    IncidentBody,
    IncidentOut,
    UpdateBody,
    UpdateOut,
    incident_out,
    incidents_out,
    update_out,
)


class Search(Paging):
    q: Annotated[str, Field(max_length=255, description="Words in the name")] = ""


SearchQuery = Query[Search]


@endpoint("GET", "/pages/{page_id}/incidents", Scope.READ, list[IncidentOut])
def list_incidents(request: ApiRequest, page_id: str, search: SearchQuery) -> list[IncidentOut]:
    """List incidents and maintenances, newest first."""
    page = page_of(request, page_id)
    rows = incidents_of(page)
    return _listed(page, rows.titled(search.q) if search.q else rows, search)


@endpoint("POST", "/pages/{page_id}/incidents", Scope.INCIDENTS, IncidentOut, code=201)
def create_incident(request: ApiRequest, page_id: str, body: IncidentBody) -> IncidentOut:
    """Open an incident, schedule a maintenance, or backfill a past incident."""
    page = page_of(request, page_id)
    return incident_out(page, create(page, body.incident, actor=request.token.actor))


@endpoint("GET", "/pages/{page_id}/incidents/unresolved", Scope.READ, list[IncidentOut])
def list_unresolved(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[IncidentOut]:
    """List incidents that are not resolved."""
    page = page_of(request, page_id)
    return _listed(page, incidents_of(page).unresolved(), paging)


@endpoint("GET", "/pages/{page_id}/incidents/scheduled", Scope.READ, list[IncidentOut])
def list_scheduled(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[IncidentOut]:
    """List maintenances of every status."""
    page = page_of(request, page_id)
    return _listed(page, incidents_of(page).maintenances(), paging)


@endpoint("GET", "/pages/{page_id}/incidents/upcoming", Scope.READ, list[IncidentOut])
def list_upcoming(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[IncidentOut]:
    """List maintenances that have not started."""
    page = page_of(request, page_id)
    return _listed(page, incidents_of(page).upcoming(), paging)


@endpoint("GET", "/pages/{page_id}/incidents/active_maintenance", Scope.READ, list[IncidentOut])
def list_active(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[IncidentOut]:
    """List maintenances in progress."""
    page = page_of(request, page_id)
    return _listed(page, incidents_of(page).running(), paging)


@endpoint("GET", "/pages/{page_id}/incidents/{incident_id}", Scope.READ, IncidentOut)
def get_incident(request: ApiRequest, page_id: str, incident_id: str) -> IncidentOut:
    """Get an incident or a maintenance."""
    page = page_of(request, page_id)
    return incident_out(page, incident_of(page, incident_id))


@endpoint("PATCH PUT", "/pages/{page_id}/incidents/{incident_id}", Scope.INCIDENTS, IncidentOut)
def update_incident(request: ApiRequest, page_id: str, incident_id: str, body: IncidentBody) -> IncidentOut:
    """Post an update, and change the other fields that are sent."""
    page = page_of(request, page_id)
    incident = incident_of(page, incident_id)
    return incident_out(page, change(incident, body.incident, actor=request.token.actor))


@endpoint("DELETE", "/pages/{page_id}/incidents/{incident_id}", Scope.INCIDENTS, IncidentOut)
def delete_incident(request: ApiRequest, page_id: str, incident_id: str) -> IncidentOut:
    """Hide an incident from the public. Staff still see it in the console."""
    page = page_of(request, page_id)
    incident = incident_of(page, incident_id)
    deleted = incident_out(page, incident)
    actions.hide(incident, actor=request.token.actor, reason="Deleted through the API.")
    return deleted


@endpoint(
    "PATCH PUT",
    "/pages/{page_id}/incidents/{incident_id}/incident_updates/{incident_update_id}",
    Scope.INCIDENTS,
    UpdateOut,
)
def update_incident_update(
    request: ApiRequest, page_id: str, incident_id: str, incident_update_id: str, body: UpdateBody
) -> UpdateOut:
    """Edit an update's text or time. The public page shows what changed."""
    page = page_of(request, page_id)
    incident, data, actor = incident_of(page, incident_id), body.incident_update, request.token.actor
    update: IncidentUpdate = get_from_list_or_404(incident.updates.select_related("incident__page"), incident_update_id)
    if data.body is not None:
        update = actions.edit_update(update, body=data.body, actor=actor)
    if data.display_at is not None:
        with rename_fields(at="display_at"):
            update = corrections.correct_update_time(update, at=data.display_at, actor=actor)
    return update_out(page, IncidentUpdate.objects.of_page(page).get(pk=update.pk))


def _listed(page: Page, rows: IncidentQuerySet, paging: Paging) -> list[IncidentOut]:
    return incidents_out(page, paging.cut(rows.with_api_fields().newest_first()))
