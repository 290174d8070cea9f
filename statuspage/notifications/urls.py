from django.urls import path

from statuspage.notifications.bounces import provider_webhooks

app_name = "notifications"

urlpatterns = [
    path("webhooks/email/<slug:provider>/", provider_webhooks.provider_webhook, name="provider_webhook"),
]
