"""How Statuspage's JSON travels: what every answer in its shape carries, for every reader that there is."""

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


def for_any_origin(answer: HttpResponse) -> HttpResponse:
    """Scripts of other sites may read it: there is nothing in it that depends on who asks."""
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


def json_not_found() -> HttpResponse:
    return json_answer({"error": "not found", "message": "There is no such thing here."}, status=404)


def json_text(body: Json) -> str:
    """`body` with its keys in their order, and no space that could be left out."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def json_answer(
    body: Json, *, status: int = 200, changed_at: datetime | None = None, content_type: str = CONTENT_TYPE
) -> HttpResponse:
    """For scripts of any origin (contract section 1.1)."""
    answer = HttpResponse(json_text(body), content_type=content_type, status=status)
    if changed_at:
        answer["Last-Modified"] = http_date(changed_at.timestamp())
    return for_any_origin(answer)
