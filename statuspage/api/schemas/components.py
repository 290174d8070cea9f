from typing import Annotated

from pydantic import Field

from statuspage.api.schemas.parts import (
    Codes,
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
