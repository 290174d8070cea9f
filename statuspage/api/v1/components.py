"""Components."""

from typing import Annotated, Any

from django.core.exceptions import ValidationError
from pydantic import Field

from incidents.actions.components import component_lifecycle as actions
from incidents.models import (
    Component,
    ComponentGroup,
    Page,
)
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import PagingQuery, component_of, locked_component_of, serializer_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.base import (
    ComponentStatusInOrNone,
    ComponentStatusOut,
    Day,
    Name,
    RequestModel,
    ResponseModel,
)

Description = Annotated[str, Field(max_length=1000)]


class ComponentOut(ResponseModel):
    id: str
    page_id: str
    group_id: str | None
    created_at: str
    updated_at: str
    group: bool
    name: str
    description: str | None
    position: int
    status: ComponentStatusOut
    showcase: bool
    only_show_if_degraded: bool
    automation_email: str | None = None
    start_date: str | None


class ComponentIn(RequestModel):
    name: Name | None = None
    description: Description | None = None
    status: ComponentStatusInOrNone | None = None
    only_show_if_degraded: bool | None = None
    group_id: str | None = None
    showcase: bool | None = None
    start_date: Day | None = None


class ComponentBody(RequestModel):
    component: ComponentIn


def component_out(page: Page, component: Component) -> ComponentOut:
    return ComponentOut(**serializer_of(page).component(component))


MAX_LISTED = 1100


@endpoint("GET", "/pages/{page_id}/components", Scope.READ, list[ComponentOut])
def list_components(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[ComponentOut]:
    """List components in the order of the page. Groups are not included."""
    page = page_of(request, page_id)
    components = paging.cut(page.components.active().in_page_order(), most=MAX_LISTED)
    return [component_out(page, component) for component in components]


@endpoint("POST", "/pages/{page_id}/components", Scope.COMPONENTS, ComponentOut, code=201)
def create_component(request: ApiRequest, page_id: str, body: ComponentBody) -> ComponentOut:
    """Create a component."""
    page, data, actor = page_of(request, page_id), body.component, request.token.actor
    given: dict[str, Any] = data.given("start_date")
    component = actions.create_component(
        page,
        name=data.name or "",
        group=_group(page, data),
        description=data.description or "",
        only_show_if_degraded=bool(data.only_show_if_degraded),
        showcase=data.showcase is not False,
        actor=actor,
        **given,
    )
    if data.status:
        component = actions.set_status(component, data.status, actor=actor)
    return component_out(page, component)


@endpoint("GET", "/pages/{page_id}/components/{component_id}", Scope.READ, ComponentOut)
def get_component(request: ApiRequest, page_id: str, component_id: str) -> ComponentOut:
    """Get a component."""
    page = page_of(request, page_id)
    return component_out(page, component_of(page, component_id))


@endpoint("PATCH PUT", "/pages/{page_id}/components/{component_id}", Scope.COMPONENTS, ComponentOut)
def update_component(request: ApiRequest, page_id: str, component_id: str, body: ComponentBody) -> ComponentOut:
    """Update a component. Keys that are not sent keep their values."""
    page = page_of(request, page_id)
    component = locked_component_of(page, component_id)
    data, actor = body.component, request.token.actor
    wanted = _fields(component) | _changes(page, data)
    if wanted != _fields(component):
        component = actions.edit_component(component, actor=actor, **wanted)
    if data.status:
        actions.set_status(component, data.status, actor=actor)
    return component_out(page, component_of(page, component_id))


@endpoint("DELETE", "/pages/{page_id}/components/{component_id}", Scope.COMPONENTS, None, code=204)
def delete_component(request: ApiRequest, page_id: str, component_id: str) -> None:
    """Archive a component. It is removed from the page; its history is kept."""
    component = component_of(page_of(request, page_id), component_id)
    actions.set_archived(component, archived=True, actor=request.token.actor)


def _fields(component: Component) -> dict[str, Any]:
    return {
        "name": component.name,
        "group": component.group,
        "description": component.description,
        "only_show_if_degraded": component.only_show_if_degraded,
        "showcase": component.showcase,
        "start_date": component.start_date,
    }


def _changes(page: Page, data: ComponentIn) -> dict[str, Any]:
    """Return the fields to change. Null clears the group and the description, and changes no other field."""
    given = data.given("name", "description", "only_show_if_degraded", "showcase", "start_date")
    if "description" in given:
        given["description"] = (data.description or "").strip()
    for name in ("name", "only_show_if_degraded", "showcase", "start_date"):
        if given.get(name, "") is None:
            del given[name]
    return given | ({"group": _group(page, data)} if "group_id" in data.model_fields_set else {})


def _group(page: Page, data: ComponentIn) -> ComponentGroup | None:
    if not data.group_id:
        return None
    group = next((group for group in page.groups.all() if group.public_id == data.group_id), None)
    if group is None:
        raise ValidationError({"group_id": f"“{data.group_id[:40]}” is not a group of this page."})
    return group
