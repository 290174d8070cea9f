from django.urls import path

from statuspage.console.postmortems import export_views, views

urlpatterns = [
    path("incidents/<slug:public_id>/postmortem", views.postmortem, name="postmortem"),
    path("incidents/<slug:public_id>/postmortem/retract", views.retract_postmortem, name="retract_postmortem"),
    path("incidents/<slug:public_id>/postmortem/review", views.review_postmortem, name="review_postmortem"),
    path("incidents/<slug:public_id>/postmortem/export.<slug:kind>", export_views.postmortem, name="export_postmortem"),
]
