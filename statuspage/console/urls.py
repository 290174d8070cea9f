from django.urls import URLPattern, URLResolver, include, path, re_path

from statuspage.console import command_bar_views, dashboard, short_urls

app_name = "console"

page_urlpatterns: list[URLPattern | URLResolver] = [
    path("", dashboard.dashboard, name="dashboard"),
    path("commands", command_bar_views.commands, name="commands"),
    path("components/<slug:public_id>/status", dashboard.set_component_status, name="component_status"),
    path("", include("statuspage.console.incidents.urls")),
    path("", include("statuspage.console.maintenances.urls")),
    path("", include("statuspage.console.proposals.urls")),
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

urlpatterns = [
    path("p/<slug:page_id>/", include(page_urlpatterns)),
    path("", short_urls.add_page, name="home"),
    re_path(r"^(?!p/)(?P<rest>.+)$", short_urls.add_page, name="short_url"),
]
