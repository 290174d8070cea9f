from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError

from incidents.actions import metrics as actions
from incidents.models import Metric, MetricsProvider, Page
from statuspage.accounts.models import Scope
from statuspage.api.gate import ApiRequest
from statuspage.api.lookups import PagingQuery, one_of
from statuspage.api.schemas.metrics import (
    MetricBody,
    MetricIn,
    MetricOut,
    Point,
    PointBody,
    PointOut,
    PointsBody,
    ProviderBody,
    ProviderOut,
)
from statuspage.api.service import endpoint, page_of
from statuspage.api.shapes import metric_out, provider_out

METRICS = "/pages/{page_id}/metrics"
PROVIDERS = "/pages/{page_id}/metrics_providers"


@endpoint("GET", METRICS, Scope.READ, list[MetricOut])
def list_metrics(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[MetricOut]:
    """List metrics."""
    page = page_of(request, page_id)
    return [metric_out(page, one) for one in paging.cut(page.metrics.in_order())]


@endpoint("POST", f"{METRICS}/data", Scope.COMPONENTS, dict[str, list[Point]], code=202)
def add_points(request: ApiRequest, page_id: str, body: PointsBody) -> dict[str, list[Point]]:
    """Add points to several metrics, at most 3000 at once."""
    page = page_of(request, page_id)
    found = page.metrics.with_codes(body.data)
    if unknown := [code for code in body.data if code not in found]:
        raise ValidationError({"data": f"“{unknown[0][:40]}” is not a metric of this page."})
    actions.add_points({found[code]: [_at(one) for one in points] for code, points in body.data.items()})
    return body.data


@endpoint("GET", f"{METRICS}/{{metric_id}}", Scope.READ, MetricOut)
def get_metric(request: ApiRequest, page_id: str, metric_id: str) -> MetricOut:
    """Get a metric."""
    page = page_of(request, page_id)
    return metric_out(page, _metric(page, metric_id))


@endpoint("PATCH PUT", f"{METRICS}/{{metric_id}}", Scope.COMPONENTS, MetricOut)
def update_metric(request: ApiRequest, page_id: str, metric_id: str, body: MetricBody) -> MetricOut:
    """Update a metric."""
    page = page_of(request, page_id)
    actions.edit_metric(_metric(page, metric_id), actor=request.token.actor, **_fields(body.metric))
    return metric_out(page, _metric(page, metric_id))


@endpoint("DELETE", f"{METRICS}/{{metric_id}}", Scope.COMPONENTS, MetricOut)
def delete_metric(request: ApiRequest, page_id: str, metric_id: str) -> MetricOut:
    """Delete a metric with all its points."""
    page = page_of(request, page_id)
    metric = _metric(page, metric_id)
    gone = metric_out(page, metric)
    actions.delete_metric(metric, actor=request.token.actor)
    return gone


@endpoint("POST", f"{METRICS}/{{metric_id}}/data", Scope.COMPONENTS, PointOut, code=201)
def add_point(request: ApiRequest, page_id: str, metric_id: str, body: PointBody) -> PointOut:
    """Add a point to a metric."""
    metric = _metric(page_of(request, page_id), metric_id)
    actions.add_points({metric: [_at(body.data)]})
    return PointOut(data=body.data)


@endpoint("DELETE", f"{METRICS}/{{metric_id}}/data", Scope.COMPONENTS, MetricOut)
def clear_points(request: ApiRequest, page_id: str, metric_id: str) -> MetricOut:
    """Delete all points of a metric."""
    page = page_of(request, page_id)
    actions.clear_points(_metric(page, metric_id), actor=request.token.actor)
    return metric_out(page, _metric(page, metric_id))


@endpoint("GET", PROVIDERS, Scope.READ, list[ProviderOut])
def list_providers(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[ProviderOut]:
    """List metrics providers."""
    page = page_of(request, page_id)
    return [provider_out(page, one) for one in paging.cut(page.metrics_providers.order_by("pk"))]


@endpoint("POST", PROVIDERS, Scope.COMPONENTS, ProviderOut, code=201)
def create_provider(request: ApiRequest, page_id: str, body: ProviderBody) -> ProviderOut:
    """Create a metrics provider of type Self."""
    page = page_of(request, page_id)
    made = actions.create_provider(page, kind=body.metrics_provider.type, actor=request.token.actor)
    return provider_out(page, made)


@endpoint("GET", f"{PROVIDERS}/{{provider_id}}", Scope.READ, ProviderOut)
def get_provider(request: ApiRequest, page_id: str, provider_id: str) -> ProviderOut:
    """Get a metrics provider."""
    page = page_of(request, page_id)
    return provider_out(page, _provider(page, provider_id))


@endpoint("PATCH PUT", f"{PROVIDERS}/{{provider_id}}", Scope.COMPONENTS, ProviderOut)
def update_provider(request: ApiRequest, page_id: str, provider_id: str, body: ProviderBody) -> ProviderOut:
    """Update a metrics provider. There is nothing but its type, and that is Self."""
    page = page_of(request, page_id)
    actions.check_kind(body.metrics_provider.type)
    return provider_out(page, _provider(page, provider_id))


@endpoint("DELETE", f"{PROVIDERS}/{{provider_id}}", Scope.COMPONENTS, ProviderOut)
def delete_provider(request: ApiRequest, page_id: str, provider_id: str) -> ProviderOut:
    """Delete a metrics provider with its metrics."""
    page = page_of(request, page_id)
    provider = _provider(page, provider_id)
    actions.delete_provider(provider, actor=request.token.actor)
    return provider_out(page, provider)


@endpoint("GET", f"{PROVIDERS}/{{provider_id}}/metrics", Scope.READ, list[MetricOut])
def list_provider_metrics(request: ApiRequest, page_id: str, provider_id: str, paging: PagingQuery) -> list[MetricOut]:
    """List the metrics of a provider."""
    page = page_of(request, page_id)
    rows = page.metrics.of_provider(_provider(page, provider_id)).in_order()
    return [metric_out(page, one) for one in paging.cut(rows)]


@endpoint("POST", f"{PROVIDERS}/{{provider_id}}/metrics", Scope.COMPONENTS, MetricOut, code=201)
def create_metric(request: ApiRequest, page_id: str, provider_id: str, body: MetricBody) -> MetricOut:
    """Create a metric."""
    page = page_of(request, page_id)
    fields = {"name": ""} | _fields(body.metric)
    provider, actor = _provider(page, provider_id), request.token.actor
    metric = actions.create_metric(page, provider=provider, actor=actor, **fields)
    return metric_out(page, _metric(page, metric.public_id))


def _metric(page: Page, code: str) -> Metric:
    found: Metric = one_of(page.metrics.with_code(code), code)
    return found


def _provider(page: Page, code: str) -> MetricsProvider:
    found: MetricsProvider = one_of(page.metrics_providers.all(), code)
    return found


def _at(point: Point) -> tuple[datetime, float]:
    return datetime.fromtimestamp(point.timestamp, tz=UTC), point.value


def _fields(asked: MetricIn) -> dict[str, Any]:
    """What was sent, by our names. A null empties the axis and the texts, and leaves the rest."""
    given = asked.given("name", "display", "y_axis_hidden", "decimal_places")
    fields = {name: value for name, value in given.items() if value is not None}
    fields |= asked.given("y_axis_min", "y_axis_max")
    names = {"metric_identifier": "metric_identifier", "suffix": "suffix", "tooltip_description": "description"}
    return fields | asked.texts(**names)
