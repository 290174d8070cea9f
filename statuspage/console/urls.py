from django.urls import include, path

from statuspage.console import command_views, dashboard

app_name = "console"

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("commands", command_views.commands, name="commands"),
    path("components/<slug:code>/status", dashboard.set_component_status, name="component_status"),
    path("", include("statuspage.console.incidents.urls")),
    path("", include("statuspage.console.maintenances.urls")),
    path("", include("statuspage.console.postmortems.urls")),
    path("", include("statuspage.console.incident_templates.urls")),
    path("", include("statuspage.console.components.urls")),
    path("", include("statuspage.console.subscribers.urls")),
    path("", include("statuspage.console.channels.urls")),
    path("", include("statuspage.console.reports.urls")),
    path("", include("statuspage.console.settings.urls")),
    path("", include("statuspage.console.proofreading.urls")),
    path("", include("statuspage.console.people.urls")),
    path("", include("statuspage.console.audit.urls")),
]
