from typing import Annotated

from pydantic import Field

from incidents.actions.pages import metrics as actions
from incidents.models import MetricsProvider, Page
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import PagingQuery, get_from_list_or_404, serializer_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.base import RequestModel, ResponseModel
from statuspage.api.v1.metrics import (
    MetricBody,
    MetricOut,
    metric_fields,
    metric_of,
    metric_out,
)


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
    """The only type is `Self`: data points are sent to Candor. Credentials of other providers are ignored."""

    type: Annotated[str, Field(max_length=40)] = "Self"


class ProviderBody(RequestModel):
    metrics_provider: ProviderIn


PROVIDERS = "/pages/{page_id}/metrics_providers"


@endpoint("GET", PROVIDERS, Scope.READ, list[ProviderOut])
def list_providers(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[ProviderOut]:
    """List metrics providers."""
    page = page_of(request, page_id)
    return [provider_out(page, provider) for provider in paging.cut(page.metrics_providers.order_by("pk"))]


@endpoint("POST", PROVIDERS, Scope.COMPONENTS, ProviderOut, code=201)
def create_provider(request: ApiRequest, page_id: str, body: ProviderBody) -> ProviderOut:
    """Create a metrics provider of type Self."""
    page = page_of(request, page_id)
    provider = actions.create_provider(page, kind=body.metrics_provider.type, actor=request.token.actor)
    return provider_out(page, provider)


@endpoint("GET", f"{PROVIDERS}/{{provider_id}}", Scope.READ, ProviderOut)
def get_provider(request: ApiRequest, page_id: str, provider_id: str) -> ProviderOut:
    """Get a metrics provider."""
    page = page_of(request, page_id)
    return provider_out(page, provider_of(page, provider_id))


@endpoint("PATCH PUT", f"{PROVIDERS}/{{provider_id}}", Scope.COMPONENTS, ProviderOut)
def update_provider(request: ApiRequest, page_id: str, provider_id: str, body: ProviderBody) -> ProviderOut:
    """Update a metrics provider. Its only field is the type, which must be Self."""
    page = page_of(request, page_id)
    actions.check_kind(body.metrics_provider.type)
    return provider_out(page, provider_of(page, provider_id))


@endpoint("DELETE", f"{PROVIDERS}/{{provider_id}}", Scope.COMPONENTS, ProviderOut)
def delete_provider(request: ApiRequest, page_id: str, provider_id: str) -> ProviderOut:
    """Delete a metrics provider with its metrics."""
    page = page_of(request, page_id)
    provider = provider_of(page, provider_id)
    actions.delete_provider(provider, actor=request.token.actor)
    return provider_out(page, provider)


@endpoint("GET", f"{PROVIDERS}/{{provider_id}}/metrics", Scope.READ, list[MetricOut])
def list_provider_metrics(request: ApiRequest, page_id: str, provider_id: str, paging: PagingQuery) -> list[MetricOut]:
    """List the metrics of a provider."""
    page = page_of(request, page_id)
    rows = page.metrics.of_provider(provider_of(page, provider_id)).in_order()
    return [metric_out(page, metric) for metric in paging.cut(rows)]


@endpoint("POST", f"{PROVIDERS}/{{provider_id}}/metrics", Scope.COMPONENTS, MetricOut, code=201)
def create_metric(request: ApiRequest, page_id: str, provider_id: str, body: MetricBody) -> MetricOut:
    """Create a metric."""
    page = page_of(request, page_id)
    fields = {"name": ""} | metric_fields(body.metric)
    provider, actor = provider_of(page, provider_id), request.token.actor
    metric = actions.create_metric(page, provider=provider, actor=actor, **fields)
    return metric_out(page, metric_of(page, metric.public_id))


def provider_out(page: Page, provider: MetricsProvider) -> ProviderOut:
    return ProviderOut(**serializer_of(page).metrics_provider(provider))


def provider_of(page: Page, public_id: str) -> MetricsProvider:
    provider: MetricsProvider = get_from_list_or_404(page.metrics_providers.all(), public_id)
    return provider
