"""The schema and a page to read it on, both made from the code. Open to anybody: they say nothing of anybody's page."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from statuspage.accounts.models import Scope
from statuspage.api import operations as operations
from statuspage.api.reading import sections
from statuspage.api.service import schema

Json = dict[str, Any]
MAX_AGE = 300


@cache
def whole_schema() -> Json:
    return schema()


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1."""
    return _kept(JsonResponse(whole_schema()))


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: no cookie, no session."""
    context = {"chapters": sections(whole_schema()), "scopes": Scope.choices}
    return _kept(HttpResponse(render_to_string("api/docs.html", context)))


def _kept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = f"public, max-age={MAX_AGE}"
    return response
