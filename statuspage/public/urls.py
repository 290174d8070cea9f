from django.urls import path, re_path

from statuspage.public import live, reports, uptime_views, views, webhook_views
from statuspage.public.embeds import badge_views, embed
from statuspage.public.json import v2
from statuspage.public.json import views as json_views

app_name = "public"

urlpatterns = [
    path("", views.home, name="home"),
    path("maintenances.ics", views.maintenances_ics, name="maintenances_ics"),
    path("incidents/<slug:public_id>.ics", views.maintenance_ics, name="maintenance_ics"),
    path("incidents/<slug:public_id>.json", json_views.incident, name="incident_json"),
    path("incidents/<slug:public_id>", views.incident, name="incident"),
    path("history", json_views.or_json(views.history), name="history"),
    path("history/<int:number>", views.history, name="history_page"),
    path("history.json", json_views.history, name="history_json"),
    path("analytics", reports.analytics, name="analytics"),
    path("reports", reports.report_list, name="reports"),
    path("reports.csv", reports.report_list_csv, name="reports_csv"),
    path("reports/<str:public_id>/<str:period>.csv", reports.report_csv, name="report_csv"),
    path("reports/<str:public_id>/<str:period>", reports.report, name="report"),
    path("history.atom", views.atom, name="atom"),
    path("history.rss", views.rss, name="rss"),
    path("feed.json", json_views.feed, name="json_feed"),
    path("uptime", uptime_views.uptime, name="uptime"),
    path("uptime.json", json_views.uptime, name="all_uptime_json"),
    path("uptime/<slug:public_id>", uptime_views.component, name="component_uptime"),
    path("uptime/<slug:public_id>.json", uptime_views.component_json, name="uptime_json"),
    path("uptime/<slug:public_id>.csv", uptime_views.component_csv, name="uptime_csv"),
    path("subscribe/webhook", webhook_views.webhook, name="webhook"),
    path("webhooks/confirm/<str:token>", webhook_views.confirm_webhook, name="confirm_webhook"),
    path("webhooks/<str:token>", webhook_views.manage_webhook, name="manage_webhook"),
    path("live.json", live.live, name="live"),
    path("accent-<slug:colors>.css", views.accent, name="accent"),
    path("logo-<slug:digest>.webp", views.logo, name="logo"),
    path("robots.txt", views.robots, name="robots"),
    # Error pages of a web server or bucket that serves the published files.
    path("404.html", views.missing, name="missing"),
    path("502.html", views.away, name="away"),
    path("badge.svg", badge_views.page_badge, name="badge"),
    path("components/<slug:public_id>/badge.svg", badge_views.component_badge, name="component_badge"),
    path("embed/script.js", embed.script, name="embed_script"),
    path("embed/frame", embed.frame, name="embed_frame"),
    path("api/v2/summary.json", v2.summary, name="v2_summary"),
    path("api/v2/status.json", v2.status, name="v2_status"),
    path("api/v2/components.json", v2.components, name="v2_components"),
    path("api/v2/incidents.json", v2.incidents, name="v2_incidents"),
    path("api/v2/incidents/unresolved.json", v2.unresolved, name="v2_unresolved"),
    path("api/v2/incidents/resolved.json", v2.resolved, name="v2_resolved"),
    path("api/v2/scheduled-maintenances.json", v2.maintenances, name="v2_maintenances"),
    path("api/v2/scheduled-maintenances/upcoming.json", v2.upcoming, name="v2_upcoming"),
    path("api/v2/scheduled-maintenances/active.json", v2.active, name="v2_active"),
    # After all other paths of /api/v2/, including those of statuspage.subscribers.
    re_path(r"^(?:/+)?api/+v2(?:/.*)?$", v2.loosely_written, name="v2_loosely_written"),
]
