from django.urls import path

from statuspage.public import reports, views

app_name = "public"

urlpatterns = [
    path("", views.home, name="home"),
    path("incidents/<str:code>", views.incident, name="incident"),
    path("history", views.history, name="history"),
    path("analytics", reports.analytics, name="analytics"),
    path("reports", reports.report_list, name="reports"),
    path("reports.csv", reports.report_list_csv, name="reports_csv"),
    path("reports/<str:code>/<str:period>.csv", reports.report_csv, name="report_csv"),
    path("reports/<str:code>/<str:period>", reports.report, name="report"),
    path("history.atom", views.atom, name="atom"),
    path("history.rss", views.rss, name="rss"),
    path("robots.txt", views.robots, name="robots"),
]
