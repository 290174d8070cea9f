"""All operations: importing this registers them, in the order that the documentation shows them."""

from statuspage.api.operations import (
    components,
    groups,
    incidents,
    metrics,
    missing,
    pages,
    postmortems,
    subscribers,
    templates,
    uptime,
)

__all__ = [
    "components",
    "groups",
    "incidents",
    "metrics",
    "missing",
    "pages",
    "postmortems",
    "subscribers",
    "templates",
    "uptime",
]
