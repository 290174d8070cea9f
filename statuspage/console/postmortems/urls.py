from django.urls import path

from statuspage.console.postmortems import export_views, views

urlpatterns = [
    path("incidents/<slug:code>/postmortem", views.postmortem, name="postmortem"),
    path("incidents/<slug:code>/postmortem/retract", views.retract_postmortem, name="retract_postmortem"),
    path("incidents/<slug:code>/postmortem/review", views.review_postmortem, name="review_postmortem"),
    path("incidents/<slug:code>/postmortem/export.<slug:kind>", export_views.postmortem, name="export_postmortem"),
]
