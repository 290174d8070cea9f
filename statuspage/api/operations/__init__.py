"""All operations: importing this registers them, in this order. `/metrics/data` comes before `/metrics/{metric_id}`."""

from statuspage.api.operations import (
    components,
    data_points,
    groups,
    incident_subscribers,
    incidents,
    many_subscribers,
    metrics,
    missing,
    pages,
    postmortems,
    providers,
    subscribers,
    templates,
    uptime,
)

__all__ = [
    "components",
    "data_points",
    "groups",
    "incident_subscribers",
    "incidents",
    "many_subscribers",
    "metrics",
    "missing",
    "pages",
    "postmortems",
    "providers",
    "subscribers",
    "templates",
    "uptime",
]
