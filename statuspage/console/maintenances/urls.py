from django.urls import path

from statuspage.console.maintenances import series_views, views

urlpatterns = [
    path("maintenances/new", views.schedule, name="schedule"),
    path("maintenances/<slug:code>/start", views.start, name="start_maintenance"),
    path("maintenances/<slug:code>/complete", views.complete, name="complete_maintenance"),
    path("maintenances/<slug:code>/reschedule", views.reschedule, name="reschedule"),
    path("maintenances/<slug:code>/options", views.change_options, name="maintenance_options"),
    path("maintenances/<slug:code>/cancel", views.cancel, name="cancel_maintenance"),
    path("series/<slug:code>", series_views.series, name="series"),
    path("series/<slug:code>/edit", series_views.edit_series, name="edit_series"),
    path("series/<slug:code>/end", series_views.end_series, name="end_series"),
]
