from typing import Annotated

from pydantic import Field

from statuspage.api.schemas.parts import RequestModel, ResponseModel


class ProviderOut(ResponseModel):
    id: str
    type: str
    disabled: bool = False
    metric_base_uri: str | None = None
    last_revalidated_at: str | None = None
    created_at: str
    updated_at: str
    page_id: str


class ProviderIn(RequestModel):
    """Only `Self` is known: points are sent to us. Credentials of others are not read and not kept."""

    type: Annotated[str, Field(max_length=40)] = "Self"


class ProviderBody(RequestModel):
    metrics_provider: ProviderIn
