"""Statuspage's JSON objects: the only place that knows their keys (contract sections 1.3, 2.2, 3.5 and 4.1).

`base` computes the values that several interfaces share and lists the keys of components and updates. Each interface
has a serializer that adds its differences: `public` (API v2, `/history.json`, `/incidents/<id>.json`), `webhooks`, and
`v1` (the management API).

Serializers read rows and return dictionaries: every key is always present, null if it has no value, in the order of
recorded responses. The caller decides what may be seen and passes in URLs. Load incidents `with_details()` and
components with their group, or each of them costs further queries.
"""

from incidents.statuspage_json.base import (
    Json,
    Serializer,
    format_time,
    incident_status,
    postmortem_update_id,
    published_postmortem,
)
from incidents.statuspage_json.public import HistorySerializer, IncidentSerializer, V2Serializer
from incidents.statuspage_json.v1 import V1Serializer
from incidents.statuspage_json.webhooks import WebhookSerializer

__all__ = [
    "HistorySerializer",
    "IncidentSerializer",
    "Json",
    "Serializer",
    "V1Serializer",
    "V2Serializer",
    "WebhookSerializer",
    "format_time",
    "incident_status",
    "postmortem_update_id",
    "published_postmortem",
]
