from django.urls import path

from statuspage.console.reports import views

urlpatterns = [
    path("analytics", views.analytics, name="analytics"),
    path("reports", views.report_list, name="reports"),
    path("reports.csv", views.report_list_csv, name="reports_csv"),
    path("reports/targets", views.targets, name="targets"),
    path("reports/public", views.publish_figures, name="publish_figures"),
    path("reports/<slug:public_id>/<str:period>.csv", views.report_csv, name="report_csv"),
    path("reports/<slug:public_id>/<str:period>", views.report, name="report"),
    path("incidents/<slug:public_id>/impact-start", views.impact_start, name="impact_start"),
]
