from django.urls import path

from statuspage.subscribers import providers, views

app_name = "subscribers"

urlpatterns = [
    path("subscribe", views.subscribe, name="subscribe"),
    path("subscribe/confirm/<str:token>", views.confirm, name="confirm"),
    path("subscribers/<str:token>", views.manage, name="manage"),
    path("unsubscribe/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("webhooks/email/<slug:provider>/", providers.provider_webhook, name="provider_webhook"),
]
