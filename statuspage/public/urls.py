from django.urls import path

from statuspage.public import health, views

app_name = "public"

urlpatterns = [
    path("", views.home, name="home"),
    path("incidents/<str:code>", views.incident, name="incident"),
    path("history", views.history, name="history"),
    path("history.atom", views.atom, name="atom"),
    path("history.rss", views.rss, name="rss"),
    path("readyz", health.readyz, name="readyz"),
    path("robots.txt", views.robots, name="robots"),
]
