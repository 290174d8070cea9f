"""Responses in Statuspage's JSON format."""

import json
from datetime import datetime

from django.http import HttpResponse
from django.utils.http import http_date

from incidents.models import Page
from incidents.statuspage_json import Json, V2Serializer
from statuspage.common.urls import absolute_url

CONTENT_TYPE = "application/json; charset=utf-8"


def v2_serializer(page: Page) -> V2Serializer:
    return V2Serializer(page, absolute_url(page, ""))


def for_any_origin(response: HttpResponse) -> HttpResponse:
    """Allow scripts of other sites to read the response. It is the same for every client."""
    response["Access-Control-Allow-Origin"] = "*"
    return response


def json_not_found() -> HttpResponse:
    return json_response({"error": "not found", "message": "Not found."}, status=404)


def json_text(body: Json) -> str:
    """Serialize `body` with its keys in order and without whitespace."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def json_response(
    body: Json, *, status: int = 200, changed_at: datetime | None = None, content_type: str = CONTENT_TYPE
) -> HttpResponse:
    """Return a response that scripts of any origin may read (contract section 1.1)."""
    response = HttpResponse(json_text(body), content_type=content_type, status=status)
    if changed_at:
        response["Last-Modified"] = http_date(changed_at.timestamp())
    return for_any_origin(response)
