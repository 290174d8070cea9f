"""Components and groups."""

from incidents.models import (
    Component,
    ComponentGroup,
    Page,
)
from statuspage.api.schemas.components import ComponentOut, GroupOut
from statuspage.common.json_responses import wire_of


def component_out(page: Page, component: Component) -> ComponentOut:
    return ComponentOut(**wire_of(page).component(component))


def group_out(page: Page, group: ComponentGroup) -> GroupOut:
    """Reads the group's active components."""
    members = [one for one in group.components.all() if one.archived_at is None]
    return GroupOut(**wire_of(page).group(group, members))
