from typing import Annotated

from pydantic import Field

from incidents.actions.pages import page_settings as actions
from incidents.models import Page
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import serializer_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.base import RequestModel, ResponseModel

Color = Annotated[str, Field(pattern=r"^[#a-zA-Z0-9(),.% ]{1,40}$", description="A CSS color")]


class EmbedIn(RequestModel):
    position: Annotated[str | None, Field(pattern=r"^[a-z-]{1,20}$", description="Example: bottom-left")] = None
    incident_background_color: Color | None = None
    incident_text_color: Color | None = None
    maintenance_background_color: Color | None = None
    maintenance_text_color: Color | None = None


class EmbedBody(EmbedIn):
    """The settings are also accepted without the object around them."""

    status_embed_config: EmbedIn | None = None


class EmbedOut(ResponseModel):
    page_id: str
    position: str
    incident_background_color: str
    incident_text_color: str
    maintenance_background_color: str
    maintenance_text_color: str


def embed_out(page: Page) -> EmbedOut:
    return EmbedOut(**serializer_of(page).embed_config())


@endpoint("GET", "/pages/{page_id}/status_embed_config", Scope.READ, EmbedOut)
def get_embed_config(request: ApiRequest, page_id: str) -> EmbedOut:
    """Get the position and colors of the widget."""
    return embed_out(page_of(request, page_id))


@endpoint("PATCH PUT", "/pages/{page_id}/status_embed_config", Scope.ADMIN, EmbedOut)
def update_embed_config(request: ApiRequest, page_id: str, body: EmbedBody) -> EmbedOut:
    """Update the position and colors of the widget."""
    page, data = page_of(request, page_id), body.status_embed_config or body
    config = data.model_dump(exclude={"status_embed_config"}, exclude_none=True)
    return embed_out(actions.set_embed_config(page, config, actor=request.token.actor))
