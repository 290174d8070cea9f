from django.urls import path

from statuspage.public import views

app_name = "public"

urlpatterns = [
    path("", views.home, name="home"),
    path("maintenances.ics", views.maintenances_ics, name="maintenances_ics"),
    path("incidents/<slug:code>.ics", views.maintenance_ics, name="maintenance_ics"),
    path("incidents/<slug:code>", views.incident, name="incident"),
    path("history", views.history, name="history"),
    path("history.atom", views.atom, name="atom"),
    path("history.rss", views.rss, name="rss"),
    path("robots.txt", views.robots, name="robots"),
]
