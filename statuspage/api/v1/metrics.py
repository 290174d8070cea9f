"""Metrics and their data points."""

from datetime import UTC, datetime
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from pydantic import Field

from incidents.actions.pages import metrics as actions
from incidents.models import (
    Metric,
    Page,
)
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import PagingQuery, get_from_list_or_404, serializer_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.base import Name, Number, RequestModel, ResponseModel, Seconds

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


class MetricPointIn(ResponseModel):
    timestamp: Seconds
    value: Number


class PointBody(RequestModel):
    data: MetricPointIn


class PointOut(ResponseModel):
    data: MetricPointIn


class PointsBody(RequestModel):
    """Points by the id of their metric."""

    data: dict[str, Annotated[list[MetricPointIn], Field(max_length=3000)]]


def metric_out(page: Page, metric: Metric) -> MetricOut:
    """`metric` comes `in_order()`."""
    return MetricOut(**serializer_of(page).metric(metric))


def metric_of(page: Page, public_id: str) -> Metric:
    metric: Metric = get_from_list_or_404(page.metrics.with_public_id(public_id), public_id)
    return metric


def metric_fields(data: MetricIn) -> dict[str, Any]:
    """Return the fields that were sent. Null clears the axis limits and the texts, and changes no other field."""
    given = data.given("name", "display", "y_axis_hidden", "decimal_places")
    fields = {name: value for name, value in given.items() if value is not None}
    fields |= data.given("y_axis_min", "y_axis_max")
    names = {"metric_identifier": "metric_identifier", "suffix": "suffix", "tooltip_description": "description"}
    return fields | data.texts(**names)


METRICS = "/pages/{page_id}/metrics"


@endpoint("POST", f"{METRICS}/data", Scope.COMPONENTS, dict[str, list[MetricPointIn]], code=202)
def add_points(request: ApiRequest, page_id: str, body: PointsBody) -> dict[str, list[MetricPointIn]]:
    """Add points to several metrics. Each takes at most 3,000 points."""
    page = page_of(request, page_id)
    metrics = page.metrics.with_public_ids(body.data)
    if unknown := [public_id for public_id in body.data if public_id not in metrics]:
        raise ValidationError({"data": f"“{unknown[0][:40]}” is not a metric of this page."})
    actions.add_points(
        {metrics[public_id]: [_value_at(point) for point in points] for public_id, points in body.data.items()}
    )
    return body.data


@endpoint("POST", f"{METRICS}/{{metric_id}}/data", Scope.COMPONENTS, PointOut, code=201)
def add_point(request: ApiRequest, page_id: str, metric_id: str, body: PointBody) -> PointOut:
    """Add a point to a metric."""
    metric = metric_of(page_of(request, page_id), metric_id)
    actions.add_points({metric: [_value_at(body.data)]})
    return PointOut(data=body.data)


@endpoint("DELETE", f"{METRICS}/{{metric_id}}/data", Scope.COMPONENTS, MetricOut)
def clear_points(request: ApiRequest, page_id: str, metric_id: str) -> MetricOut:
    """Delete all points of a metric."""
    page = page_of(request, page_id)
    actions.clear_points(metric_of(page, metric_id), actor=request.token.actor)
    return metric_out(page, metric_of(page, metric_id))


def _value_at(point: MetricPointIn) -> tuple[datetime, float]:
    return datetime.fromtimestamp(point.timestamp, tz=UTC), point.value


@endpoint("GET", METRICS, Scope.READ, list[MetricOut])
def list_metrics(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[MetricOut]:
    """List metrics."""
    page = page_of(request, page_id)
    return [metric_out(page, metric) for metric in paging.cut(page.metrics.in_order())]


@endpoint("GET", f"{METRICS}/{{metric_id}}", Scope.READ, MetricOut)
def get_metric(request: ApiRequest, page_id: str, metric_id: str) -> MetricOut:
    """Get a metric."""
    page = page_of(request, page_id)
    return metric_out(page, metric_of(page, metric_id))


@endpoint("PATCH PUT", f"{METRICS}/{{metric_id}}", Scope.COMPONENTS, MetricOut)
def update_metric(request: ApiRequest, page_id: str, metric_id: str, body: MetricBody) -> MetricOut:
    """Update a metric."""
    page = page_of(request, page_id)
    actions.edit_metric(metric_of(page, metric_id), actor=request.token.actor, **metric_fields(body.metric))
    return metric_out(page, metric_of(page, metric_id))


@endpoint("DELETE", f"{METRICS}/{{metric_id}}", Scope.COMPONENTS, MetricOut)
def delete_metric(request: ApiRequest, page_id: str, metric_id: str) -> MetricOut:
    """Delete a metric with all its points."""
    page = page_of(request, page_id)
    metric = metric_of(page, metric_id)
    deleted = metric_out(page, metric)
    actions.delete_metric(metric, actor=request.token.actor)
    return deleted
