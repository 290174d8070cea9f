from incidents.actions.pages import metrics as actions
from statuspage.accounts.models import Scope
from statuspage.api.doors import ApiRequest
from statuspage.api.lookups import PagingQuery
from statuspage.api.operations.finding import metric_fields, metric_of
from statuspage.api.schemas.metrics import MetricBody, MetricOut
from statuspage.api.service import endpoint, page_of
from statuspage.api.shapes.metrics import metric_out

METRICS = "/pages/{page_id}/metrics"


@endpoint("GET", METRICS, Scope.READ, list[MetricOut])
def list_metrics(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[MetricOut]:
    """List metrics."""
    page = page_of(request, page_id)
    return [metric_out(page, one) for one in paging.cut(page.metrics.in_order())]


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
    gone = metric_out(page, metric)
    actions.delete_metric(metric, actor=request.token.actor)
    return gone
