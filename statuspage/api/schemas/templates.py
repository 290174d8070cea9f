from typing import Annotated

from pydantic import Field

from statuspage.api.schemas.components import ComponentOut
from statuspage.api.schemas.parts import (
    Codes,
    Name,
    RequestModel,
    ResponseModel,
    StatusIn,
    StatusOut,
    Text,
)


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
    component_ids: Codes | None = None


class TemplateBody(RequestModel):
    template: TemplateIn
