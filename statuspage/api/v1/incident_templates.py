"""Templates."""

from typing import Annotated, Any

from pydantic import Field

from incidents.actions.pages import incident_templates as actions
from incidents.models import (
    IncidentTemplate,
    Page,
)
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import PagingQuery, components_by_id, get_from_list_or_404, serializer_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.base import (
    Name,
    PublicIds,
    RequestModel,
    ResponseModel,
    StatusIn,
    StatusOut,
    Text,
)
from statuspage.api.v1.components import ComponentOut


class TemplateOut(ResponseModel):
    id: str
    components: list[ComponentOut]
    name: str
    title: str
    body: str
    group_id: str | None
    update_status: StatusOut | None
    should_tweet: bool = False
    should_send_notifications: bool


class TemplateIn(RequestModel):
    name: Name | None = None
    title: Name | None = None
    body: Text | None = None
    group_id: Annotated[str | None, Field(max_length=100, description="Any label to group templates by")] = None
    update_status: StatusIn | None = None
    should_send_notifications: bool | None = None
    component_ids: PublicIds | None = None


class TemplateBody(RequestModel):
    template: TemplateIn


def template_out(page: Page, template: IncidentTemplate) -> TemplateOut:
    return TemplateOut(**serializer_of(page).incident_template(template))


PATH = "/pages/{page_id}/incident_templates"


@endpoint("GET", PATH, Scope.READ, list[TemplateOut])
def list_templates(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[TemplateOut]:
    """List templates."""
    page = page_of(request, page_id)
    return [template_out(page, template) for template in paging.cut(page.incident_templates.in_order())]


@endpoint("POST", PATH, Scope.INCIDENTS, TemplateOut, code=201)
def create_template(request: ApiRequest, page_id: str, body: TemplateBody) -> TemplateOut:
    """Create a template."""
    page, data = page_of(request, page_id), body.template
    fields = {"name": "", "title": "", "body": ""} | _fields(data)
    components = components_by_id(page, data.component_ids or [], field="component_ids")
    template = actions.create_incident_template(page, components=components, actor=request.token.actor, **fields)
    return template_out(page, _incident_template(page, template.public_id))


@endpoint("GET", f"{PATH}/{{template_id}}", Scope.READ, TemplateOut)
def get_template(request: ApiRequest, page_id: str, template_id: str) -> TemplateOut:
    """Get a template. Statuspage does not have this endpoint."""
    page = page_of(request, page_id)
    return template_out(page, _incident_template(page, template_id))


@endpoint("PATCH PUT", f"{PATH}/{{template_id}}", Scope.INCIDENTS, TemplateOut)
def update_template(request: ApiRequest, page_id: str, template_id: str, body: TemplateBody) -> TemplateOut:
    """Update a template. Statuspage does not have this endpoint."""
    page, data = page_of(request, page_id), body.template
    components = None
    if data.component_ids is not None:
        components = components_by_id(page, data.component_ids, field="component_ids")
    template = _incident_template(page, template_id)
    actions.edit_incident_template(template, components=components, actor=request.token.actor, **_fields(data))
    return template_out(page, _incident_template(page, template_id))


@endpoint("DELETE", f"{PATH}/{{template_id}}", Scope.INCIDENTS, TemplateOut)
def delete_template(request: ApiRequest, page_id: str, template_id: str) -> TemplateOut:
    """Delete a template. Statuspage does not have this endpoint."""
    page = page_of(request, page_id)
    template = _incident_template(page, template_id)
    deleted = template_out(page, template)
    actions.delete_incident_template(template, actor=request.token.actor)
    return deleted


def _incident_template(page: Page, public_id: str) -> IncidentTemplate:
    template: IncidentTemplate = get_from_list_or_404(page.incident_templates.with_public_id(public_id), public_id)
    return template


def _fields(data: TemplateIn) -> dict[str, Any]:
    """Return the fields that were sent. Null clears the status and the label, and changes no other field."""
    given = data.given("name", "title", "body", "should_send_notifications")
    fields = {name: value for name, value in given.items() if value is not None}
    return fields | data.texts(update_status="update_status", group_id="group_label")
