from collections.abc import Sequence

from django.core.exceptions import ValidationError

from incidents.actions.components import component_lifecycle as actions
from incidents.actions.components import positions
from incidents.actor import Actor
from incidents.models import Component, ComponentGroup, Page
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import PagingQuery, components_by_id, group_of, serializer_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.base import Name, PublicIds, RequestModel, ResponseModel
from statuspage.api.v1.components import Description
from statuspage.subscribers.preferences import inherit_preferences


class GroupOut(ResponseModel):
    id: str
    page_id: str
    name: str
    description: str | None
    components: list[str]
    position: int
    created_at: str
    updated_at: str


class GroupIn(RequestModel):
    """The page shows `components` in their order."""

    name: Name | None = None
    description: Description | None = None
    components: PublicIds | None = None


class GroupBody(RequestModel):
    """`description` is read here and in `component_group`, because clients send it in either place."""

    description: Description | None = None
    component_group: GroupIn


def group_out(page: Page, group: ComponentGroup) -> GroupOut:
    """Serialize a group with its active components."""
    members = [component for component in group.components.all() if component.archived_at is None]
    return GroupOut(**serializer_of(page).group(group, members))


@endpoint("GET", "/pages/{page_id}/component-groups", Scope.READ, list[GroupOut])
def list_groups(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[GroupOut]:
    """List component groups."""
    page = page_of(request, page_id)
    rows = page.groups.order_by("position", "pk").prefetch_related("components")
    return [group_out(page, group) for group in paging.cut(rows)]


@endpoint("POST", "/pages/{page_id}/component-groups", Scope.COMPONENTS, GroupOut, code=201)
def create_group(request: ApiRequest, page_id: str, body: GroupBody) -> GroupOut:
    """Create a component group."""
    page, data, actor = page_of(request, page_id), body.component_group, request.token.actor
    if data.components is None:
        raise ValidationError({"components": "Send the ids of the group's components. The list may be empty."})
    members = components_by_id(page, data.components, field="components")
    text = body.description or data.description or ""
    group = actions.create_group(page, name=data.name or "", description=text, actor=actor)
    _set_members(page, group, members, actor)
    return group_out(page, group_of(page, group.public_id))


@endpoint("GET", "/pages/{page_id}/component-groups/{group_id}", Scope.READ, GroupOut)
def get_group(request: ApiRequest, page_id: str, group_id: str) -> GroupOut:
    """Get a component group."""
    page = page_of(request, page_id)
    return group_out(page, group_of(page, group_id))


@endpoint("PATCH PUT", "/pages/{page_id}/component-groups/{group_id}", Scope.COMPONENTS, GroupOut)
def update_group(request: ApiRequest, page_id: str, group_id: str, body: GroupBody) -> GroupOut:
    """Update a component group. `components` replaces its components and their order."""
    page = page_of(request, page_id)
    group, data, actor = group_of(page, group_id), body.component_group, request.token.actor
    members = None if data.components is None else components_by_id(page, data.components, field="components")
    text = _description(body, group)
    name = group.name if data.name is None else data.name
    if (name, text) != (group.name, group.description):
        actions.edit_group(group, name=name, description=text, actor=actor)
    if members is not None:
        _set_members(page, group, members, actor)
    return group_out(page, group_of(page, group_id))


@endpoint("DELETE", "/pages/{page_id}/component-groups/{group_id}", Scope.COMPONENTS, GroupOut)
def delete_group(request: ApiRequest, page_id: str, group_id: str) -> GroupOut:
    """Delete a component group. Its components stay on the page, and its subscribers follow them."""
    page = page_of(request, page_id)
    group = group_of(page, group_id)
    deleted = group_out(page, group)
    inherit_preferences(group)
    actions.delete_group(group, actor=request.token.actor)
    return deleted


def _description(body: GroupBody, group: ComponentGroup) -> str:
    """Return the description from either object of the request. Null clears it."""
    for sent in (body, body.component_group):
        if "description" in sent.model_fields_set:
            return (sent.description or "").strip()
    return group.description


def _set_members(page: Page, group: ComponentGroup, members: Sequence[Component], actor: Actor) -> None:
    before = list(group.components.active().order_by("position", "pk"))
    if before == list(members):
        return
    locked = _locked([*before, *members])
    for component in before:
        if component not in members and locked[component.pk].group_id == group.pk:
            _move(locked[component.pk], None, actor)
    for component in members:
        if locked[component.pk].group_id != group.pk:
            _move(locked[component.pk], group, actor)
    positions.reorder(page, list(members), actor=actor)


def _locked(components: Sequence[Component]) -> dict[int, Component]:
    """Return the components by primary key, locked until the end of the transaction. The order prevents deadlocks."""
    rows = Component.objects.filter(pk__in=[component.pk for component in components]).select_related("group", "page")
    return {component.pk: component for component in rows.select_for_update(of=("self",), no_key=True).order_by("pk")}


def _move(component: Component, group: ComponentGroup | None, actor: Actor) -> None:
    actions.edit_component(
        component,
        name=component.name,
        group=group,
        description=component.description,
        only_show_if_degraded=component.only_show_if_degraded,
        actor=actor,
    )
