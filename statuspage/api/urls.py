from django.urls import path

from statuspage.api import docs
from statuspage.api.gate import gate

app_name = "api"

urlpatterns = [
    path("openapi.json", docs.openapi, name="openapi"),
    path("docs", docs.docs, name="docs"),
    path("<path:path>", gate, name="gate"),
    path("", gate, {"path": ""}),
]
