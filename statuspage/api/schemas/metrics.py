from typing import Annotated

from pydantic import Field

from statuspage.api.schemas.parts import Name, Number, RequestModel, ResponseModel

Tooltip = Annotated[str, Field(max_length=1000)]
Suffix = Annotated[str, Field(max_length=20)]
Places = Annotated[int, Field(ge=0, le=10)]


class MetricOut(ResponseModel):
    id: str
    metrics_provider_id: str | None
    metric_identifier: str | None
    name: str
    display: bool
    tooltip_description: str | None
    backfilled: bool = False
    y_axis_min: float | None
    y_axis_max: float | None
    y_axis_hidden: bool
    suffix: str | None
    decimal_places: int
    most_recent_data_at: str | None
    created_at: str
    updated_at: str
    last_fetched_at: str | None = None
    backfill_percentage: int | None = None
    reference_name: str | None = None


class MetricIn(RequestModel):
    name: Name | None = None
    metric_identifier: Name | None = None
    display: bool | None = None
    tooltip_description: Tooltip | None = None
    y_axis_min: Number | None = None
    y_axis_max: Number | None = None
    y_axis_hidden: bool | None = None
    suffix: Suffix | None = None
    decimal_places: Places | None = None


class MetricBody(RequestModel):
    metric: MetricIn
