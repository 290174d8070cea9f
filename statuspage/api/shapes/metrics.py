"""Metrics and where they come from."""

from incidents.models import (
    Metric,
    MetricsProvider,
    Page,
)
from statuspage.api.schemas.metrics import MetricOut
from statuspage.api.schemas.providers import ProviderOut
from statuspage.common.json_responses import wire_of


def metric_out(page: Page, metric: Metric) -> MetricOut:
    """`metric` comes `in_order()`."""
    wire = wire_of(page)
    return MetricOut(
        id=metric.public_id,
        metrics_provider_id=metric.provider.public_id if metric.provider else None,
        metric_identifier=metric.metric_identifier or None,
        name=metric.name,
        display=metric.display,
        tooltip_description=metric.description or None,
        y_axis_min=metric.y_axis_min,
        y_axis_max=metric.y_axis_max,
        y_axis_hidden=metric.y_axis_hidden,
        suffix=metric.suffix or None,
        decimal_places=metric.decimal_places,
        most_recent_data_at=wire.time_or_none(getattr(metric, "newest_at", None)),
        created_at=wire.time(metric.created_at),
        updated_at=wire.time(metric.updated_at),
    )


def provider_out(page: Page, provider: MetricsProvider) -> ProviderOut:
    wire = wire_of(page)
    return ProviderOut(
        id=provider.public_id,
        type=provider.kind,
        created_at=wire.time(provider.created_at),
        updated_at=wire.time(provider.updated_at),
        page_id=page.public_id,
    )
