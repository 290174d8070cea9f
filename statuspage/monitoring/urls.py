from django.urls import path

from statuspage.monitoring import health, views

app_name = "monitoring"

urlpatterns = [
    path("metrics", views.metrics, name="metrics"),
    path("readyz", health.readyz, name="readyz"),
    path("livez", health.livez, name="livez"),
]
