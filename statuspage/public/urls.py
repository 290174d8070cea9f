from django.urls import path

from statuspage.public import health, live, reports, uptime_views, views

app_name = "public"

urlpatterns = [
    path("", views.home, name="home"),
    path("maintenances.ics", views.maintenances_ics, name="maintenances_ics"),
    path("incidents/<slug:code>.ics", views.maintenance_ics, name="maintenance_ics"),
    path("incidents/<slug:code>", views.incident, name="incident"),
    path("history", views.history, name="history"),
    path("history/<int:number>", views.history, name="history_page"),
    path("analytics", reports.analytics, name="analytics"),
    path("reports", reports.report_list, name="reports"),
    path("reports.csv", reports.report_list_csv, name="reports_csv"),
    path("reports/<str:code>/<str:period>.csv", reports.report_csv, name="report_csv"),
    path("reports/<str:code>/<str:period>", reports.report, name="report"),
    path("history.atom", views.atom, name="atom"),
    path("history.rss", views.rss, name="rss"),
    path("uptime", uptime_views.uptime, name="uptime"),
    path("uptime/<slug:code>", uptime_views.component, name="component_uptime"),
    path("uptime/<slug:code>.json", uptime_views.component_json, name="uptime_json"),
    path("uptime/<slug:code>.csv", uptime_views.component_csv, name="uptime_csv"),
    path("readyz", health.readyz, name="readyz"),
    path("live.json", live.live, name="live"),
    path("robots.txt", views.robots, name="robots"),
    # Pages that a web server or a bucket shows when it has nothing else to show.
    path("404.html", views.missing, name="missing"),
    path("502.html", views.away, name="away"),
]
