"""The URLconf of the endpoints. Importing it registers them.

Only the entrypoint resolves these URLs. They are not part of the site's URLs, so every request passes the entrypoint.
"""

from django.urls import path

from statuspage.api.router import api
from statuspage.api.v1 import (
    component_groups,
    components,
    embed,
    incident_templates,
    metrics,
    metrics_providers,
    pages,
    postmortems,
    unsupported,
    uptime,
)
from statuspage.api.v1.incidents import endpoints as incidents
from statuspage.api.v1.subscribers import bulk, of_incident
from statuspage.api.v1.subscribers import endpoints as subscribers

# Importing a module registers its endpoints. Where two paths match, the one that was registered first is called:
# `/subscribers/count` of `bulk` before `/subscribers/{subscriber_id}` of `subscribers`.
MODULES = [
    incidents,
    postmortems,
    incident_templates,
    components,
    component_groups,
    uptime,
    bulk,
    subscribers,
    of_incident,
    metrics,
    metrics_providers,
    pages,
    embed,
    unsupported,
]

urlpatterns = [path("", api.urls)]
