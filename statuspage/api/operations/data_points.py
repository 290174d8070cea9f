from datetime import UTC, datetime

from django.core.exceptions import ValidationError

from incidents.actions.pages import metrics as actions
from statuspage.accounts.models import Scope
from statuspage.api.doors import ApiRequest
from statuspage.api.operations.finding import metric_of
from statuspage.api.schemas.metrics import MetricOut
from statuspage.api.schemas.points import Point, PointBody, PointOut, PointsBody
from statuspage.api.service import endpoint, page_of
from statuspage.api.shapes.metrics import metric_out

METRICS = "/pages/{page_id}/metrics"


@endpoint("POST", f"{METRICS}/data", Scope.COMPONENTS, dict[str, list[Point]], code=202)
def add_points(request: ApiRequest, page_id: str, body: PointsBody) -> dict[str, list[Point]]:
    """Add points to several metrics, at most 3000 at once."""
    page = page_of(request, page_id)
    found = page.metrics.with_codes(body.data)
    if unknown := [code for code in body.data if code not in found]:
        raise ValidationError({"data": f"“{unknown[0][:40]}” is not a metric of this page."})
    actions.add_points({found[code]: [_at(one) for one in points] for code, points in body.data.items()})
    return body.data


@endpoint("POST", f"{METRICS}/{{metric_id}}/data", Scope.COMPONENTS, PointOut, code=201)
def add_point(request: ApiRequest, page_id: str, metric_id: str, body: PointBody) -> PointOut:
    """Add a point to a metric."""
    metric = metric_of(page_of(request, page_id), metric_id)
    actions.add_points({metric: [_at(body.data)]})
    return PointOut(data=body.data)


@endpoint("DELETE", f"{METRICS}/{{metric_id}}/data", Scope.COMPONENTS, MetricOut)
def clear_points(request: ApiRequest, page_id: str, metric_id: str) -> MetricOut:
    """Delete all points of a metric."""
    page = page_of(request, page_id)
    actions.clear_points(metric_of(page, metric_id), actor=request.token.actor)
    return metric_out(page, metric_of(page, metric_id))


def _at(point: Point) -> tuple[datetime, float]:
    return datetime.fromtimestamp(point.timestamp, tz=UTC), point.value
