from django.urls import path

from statuspage.console.maintenances import series_views, views

urlpatterns = [
    path("maintenances/new", views.schedule, name="schedule"),
    path("maintenances/<slug:public_id>/start", views.start, name="start_maintenance"),
    path("maintenances/<slug:public_id>/complete", views.complete, name="complete_maintenance"),
    path("maintenances/<slug:public_id>/reschedule", views.reschedule, name="reschedule"),
    path("maintenances/<slug:public_id>/options", views.change_options, name="maintenance_options"),
    path("maintenances/<slug:public_id>/cancel", views.cancel, name="cancel_maintenance"),
    path("series/<slug:public_id>", series_views.series, name="series"),
    path("series/<slug:public_id>/edit", series_views.edit_series, name="edit_series"),
    path("series/<slug:public_id>/end", series_views.end_series, name="end_series"),
]
