"""Metrics that a request names or describes."""

from typing import Any

from incidents.models import Metric, MetricsProvider, Page
from statuspage.api.lookups import get_from_list_or_404
from statuspage.api.schemas.metrics import MetricIn


def metric_of(page: Page, code: str) -> Metric:
    found: Metric = get_from_list_or_404(page.metrics.with_code(code), code)
    return found


def provider_of(page: Page, code: str) -> MetricsProvider:
    found: MetricsProvider = get_from_list_or_404(page.metrics_providers.all(), code)
    return found


def metric_fields(asked: MetricIn) -> dict[str, Any]:
    """What was sent, by our names. A null empties the axis and the texts, and leaves the rest."""
    given = asked.given("name", "display", "y_axis_hidden", "decimal_places")
    fields = {name: value for name, value in given.items() if value is not None}
    fields |= asked.given("y_axis_min", "y_axis_max")
    names = {"metric_identifier": "metric_identifier", "suffix": "suffix", "tooltip_description": "description"}
    return fields | asked.texts(**names)
