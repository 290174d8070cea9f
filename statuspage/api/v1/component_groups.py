from collections.abc import Sequence

from django.core.exceptions import ValidationError

from incidents.actions.components import component_lifecycle as actions
from incidents.actions.components import positions
from incidents.actor import Actor
from incidents.models import Component, ComponentGroup, Page
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import PagingQuery, components_named, group_of, serializer_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.base import Codes, Name, RequestModel, ResponseModel
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
    """The order of `components` is the one on the page."""

    name: Name | None = None
    description: Description | None = None
    components: Codes | None = None


class GroupBody(RequestModel):
    """`description` is read here and in `component_group`: clients put it in either place."""

    description: Description | None = None
    component_group: GroupIn


def group_out(page: Page, group: ComponentGroup) -> GroupOut:
    """Reads the group's active components."""
    members = [one for one in group.components.all() if one.archived_at is None]
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
    page, asked, actor = page_of(request, page_id), body.component_group, request.token.actor
    if asked.components is None:
        raise ValidationError({"components": "Say which components are in the group, if only by an empty list."})
    members = components_named(page, asked.components, field="components")
    text = body.description or asked.description or ""
    group = actions.create_group(page, name=asked.name or "", description=text, actor=actor)
    _fill(page, group, members, actor)
    return group_out(page, group_of(page, group.public_id))


@endpoint("GET", "/pages/{page_id}/component-groups/{group_id}", Scope.READ, GroupOut)
def get_group(request: ApiRequest, page_id: str, group_id: str) -> GroupOut:
    """Get a component group."""
    page = page_of(request, page_id)
    return group_out(page, group_of(page, group_id))


@endpoint("PATCH PUT", "/pages/{page_id}/component-groups/{group_id}", Scope.COMPONENTS, GroupOut)
def update_group(request: ApiRequest, page_id: str, group_id: str, body: GroupBody) -> GroupOut:
    """Update a component group. Its components are exactly those that are sent, in their order."""
    page = page_of(request, page_id)
    group, asked, actor = group_of(page, group_id), body.component_group, request.token.actor
    members = None if asked.components is None else components_named(page, asked.components, field="components")
    text = _description(body, group)
    name = group.name if asked.name is None else asked.name
    if (name, text) != (group.name, group.description):
        actions.edit_group(group, name=name, description=text, actor=actor)
    if members is not None:
        _fill(page, group, members, actor)
    return group_out(page, group_of(page, group_id))


@endpoint("DELETE", "/pages/{page_id}/component-groups/{group_id}", Scope.COMPONENTS, GroupOut)
def delete_group(request: ApiRequest, page_id: str, group_id: str) -> GroupOut:
    """Delete a component group. Its components stay on the page, and subscribers of the group keep them."""
    page = page_of(request, page_id)
    group = group_of(page, group_id)
    gone = group_out(page, group)
    inherit_preferences(group)
    actions.delete_group(group, actor=request.token.actor)
    return gone


def _description(body: GroupBody, group: ComponentGroup) -> str:
    """Whichever of the two places was sent; null empties it."""
    for place in (body, body.component_group):
        if "description" in place.model_fields_set:
            return (place.description or "").strip()
    return group.description


def _fill(page: Page, group: ComponentGroup, members: Sequence[Component], actor: Actor) -> None:
    before = list(group.components.active().order_by("position", "pk"))
    if before == list(members):
        return
    fresh = _locked([*before, *members])
    for component in before:
        if component not in members and fresh[component.pk].group_id == group.pk:
            _move(fresh[component.pk], None, actor)
    for component in members:
        if fresh[component.pk].group_id != group.pk:
            _move(fresh[component.pk], group, actor)
    positions.reorder(page, list(members), actor=actor)


def _locked(components: Sequence[Component]) -> dict[int, Component]:
    """As they are now, and until the request is done. All in one order, so that no two requests wait for each other."""
    rows = Component.objects.filter(pk__in=[one.pk for one in components]).select_related("group", "page")
    return {one.pk: one for one in rows.select_for_update(of=("self",), no_key=True).order_by("pk")}


def _move(component: Component, group: ComponentGroup | None, actor: Actor) -> None:
    actions.edit_component(
        component,
        name=component.name,
        group=group,
        description=component.description,
        only_show_if_degraded=component.only_show_if_degraded,
        actor=actor,
    )
