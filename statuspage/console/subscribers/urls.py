from django.urls import path

from statuspage.console.subscribers import csv_views, views

urlpatterns = [
    path("subscribers", views.subscriber_list, name="subscribers"),
    path("subscribers/new", views.add_subscriber, name="add_subscriber"),
    path("subscribers/import", csv_views.import_subscribers, name="import_subscribers"),
    path("subscribers/export", csv_views.export_subscribers, name="export_subscribers"),
    path("subscribers/<slug:public_id>", views.subscriber, name="subscriber"),
    path("subscribers/<slug:public_id>/pause", views.pause_subscriber, name="pause_subscriber"),
    path("subscribers/<slug:public_id>/resume", views.resume_subscriber, name="resume_subscriber"),
    path("subscribers/<slug:public_id>/confirmation", views.resend_confirmation, name="resend_confirmation"),
    path("subscribers/<slug:public_id>/links", views.reset_subscriber_links, name="reset_subscriber_links"),
    path("subscribers/<slug:public_id>/unsubscribe", views.unsubscribe_subscriber, name="unsubscribe"),
]
