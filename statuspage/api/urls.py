from django.urls import path

from statuspage.api import reference_docs
from statuspage.api.entrypoint import entrypoint

app_name = "api"

urlpatterns = [
    path("openapi.json", reference_docs.openapi, name="openapi"),
    path("docs", reference_docs.docs, name="docs"),
    path("<path:path>", entrypoint, name="entrypoint"),
    path("", entrypoint, {"path": ""}),
]
