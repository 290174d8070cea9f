from django.urls import path

from statuspage.subscribers import views
from statuspage.subscribers.api_v2 import views as api_v2_views

app_name = "subscribers"

urlpatterns = [
    path("subscribe", views.subscribe, name="subscribe"),
    path("subscribe/confirm/<str:token>", views.confirm, name="confirm"),
    path("subscribers/<str:token>", views.manage, name="manage"),
    path("unsubscribe/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("api/v2/subscribers.json", api_v2_views.subscribers, name="v2_subscribers"),
    path("api/v2/subscribers/<slug:public_id>/resend_confirmation.json", api_v2_views.resend, name="v2_resend"),
    path("api/v2/subscribers/<slug:public_id>/resend_confirmation", api_v2_views.resend),
    path("api/v2/subscribers/<slug:public_id>.json", api_v2_views.subscriber, name="v2_subscriber"),
]
