from django.urls import path

from statuspage.console.settings import publishing_views, retention_views, rules_views, token_views, uptime_views, views

urlpatterns = [
    path("rules", rules_views.rules, name="rules"),
    path("rules/reminders", rules_views.staff_reminders, name="staff_reminders"),
    path("settings", views.page_settings, name="settings"),
    path("settings/logo", views.page_logo, name="logo"),
    path("publishing", publishing_views.publishing, name="publishing"),
    path("retention", retention_views.retention, name="retention"),
    path("uptime", uptime_views.uptime, name="uptime"),
    path("tokens", token_views.token_list, name="tokens"),
    path("tokens/<slug:public_id>/revoke", token_views.revoke_token, name="revoke_token"),
]
