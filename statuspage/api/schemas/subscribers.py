from typing import Annotated, Literal

from pydantic import Field

from statuspage.api.schemas.parts import Codes, RequestModel, ResponseModel

Mode = Literal["email", "sms", "webhook", "slack", "teams", "integration_partner"]
StateWord = Literal["active", "unconfirmed", "pending", "quarantined", "all"]


class SubscriberOut(ResponseModel):
    id: str
    page_id: str
    skip_confirmation_notification: bool
    mode: Mode
    email: str | None
    endpoint: str | None
    phone_number: str | None
    phone_country: str | None = None
    display_phone_number: str | None
    obfuscated_channel_name: str | None
    workspace_name: str | None = None
    quarantined_at: str | None
    purge_at: str | None
    components: list[str]
    page_access_user_id: str | None = None
    created_at: str


class SubscriberIn(RequestModel):
    email: Annotated[str | None, Field(max_length=254)] = None
    endpoint: Annotated[str | None, Field(max_length=1000)] = None
    phone_number: Annotated[str | None, Field(max_length=40)] = None
    phone_country: Annotated[str | None, Field(max_length=2, description="Only numbers with + are understood")] = None
    skip_confirmation_notification: bool = False
    component_ids: Codes | None = None


class SubscriberBody(RequestModel):
    subscriber: SubscriberIn


class ComponentsBody(RequestModel):
    """Without `component_ids`: the whole page."""

    component_ids: Codes | None = None


class ManyBody(RequestModel):
    """`subscribers`: ids, or the word `all`."""

    subscribers: Codes | str
    type: Mode | None = None
    state: StateWord = "active"
    skip_unsubscription_notification: bool | None = None
