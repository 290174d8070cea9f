from typing import Annotated

from pydantic import Field

from statuspage.api.schemas.parts import RequestModel, ResponseModel

Colour = Annotated[str, Field(pattern=r"^[#a-zA-Z0-9(),.% ]{1,40}$", description="A CSS colour")]


class EmbedIn(RequestModel):
    position: Annotated[str | None, Field(pattern=r"^[a-z-]{1,20}$", description="Like bottom-left")] = None
    incident_background_color: Colour | None = None
    incident_text_color: Colour | None = None
    maintenance_background_color: Colour | None = None
    maintenance_text_color: Colour | None = None


class EmbedBody(EmbedIn):
    """The settings themselves are accepted without the key around them, too."""

    status_embed_config: EmbedIn | None = None


class EmbedOut(ResponseModel):
    page_id: str
    position: str
    incident_background_color: str
    incident_text_color: str
    maintenance_background_color: str
    maintenance_text_color: str
