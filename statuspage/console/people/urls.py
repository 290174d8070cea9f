from django.urls import path

from statuspage.console.people import account_views, views

urlpatterns = [
    path("account", account_views.account, name="account"),
    path("account/sessions", account_views.end_sessions, name="end_sessions"),
    path("people", views.people_list, name="people"),
    path("people/<slug:user_id>/role", views.change_role, name="person_role"),
    path("people/<slug:user_id>/active", views.set_active, name="person_active"),
    path("people/<slug:user_id>/password", views.replace_password, name="person_password"),
]
