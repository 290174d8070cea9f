"""What a program sends to sign somebody up, as a form or as JSON (contract section 1.6)."""

from __future__ import annotations

import json
from typing import TypeVar

from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict

from incidents.models import Page
from incidents.visibility import Viewer
from statuspage.subscribers.forms import SELECTED, CollapsibleForm
from statuspage.subscribers.preferences import KINDS

Fields = MultiValueDict[str, str]
Asked = TypeVar("Asked", bound=CollapsibleForm)

# As old clients of Statuspage's name what is to be followed, and as its management API does.
INCIDENT = ("incident", "incident_id")
COMPONENTS = ("component_id", "component_ids", "component_ids[]")


class Unreadable(ValueError):
    """What was sent is not what its Content-Type says."""


def read_fields(request: HttpRequest) -> Fields:
    """What `subscriber[…]` says, or what stands beside it. Unreadable if it is no JSON that an object is written in."""
    if request.content_type == "application/json":
        return _from_json(request.body)
    sent = request.POST if request.method == "POST" else QueryDict(request.body or request.GET.urlencode())
    return MultiValueDict({name.removeprefix("subscriber[").replace("]", "", 1): many for name, many in sent.lists()})


def _from_json(body: bytes) -> Fields:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("The body is no JSON.") from None
    inner = sent.get("subscriber", sent) if isinstance(sent, dict) else None
    if not isinstance(inner, dict):
        raise Unreadable("The body must be an object like {“subscriber”: {“email”: “ada@example.com”}}.")
    listed = {name: value if isinstance(value, list) else [value] for name, value in inner.items()}
    return MultiValueDict({name: [str(one) for one in many if one is not None] for name, many in listed.items()})


def form_of(page: Page, fields: Fields, kind: type[Asked]) -> Asked:
    """The form of the page, filled in: what it refuses is refused here, in the same words."""
    data = MultiValueDict({name: [fields.get(name) or ""] for name in ("email", "endpoint")})
    incidents, components = every(fields, INCIDENT), every(fields, COMPONENTS)
    if incidents or components:
        data.setlist("scope", [SELECTED])
        data.setlist("kinds", list(KINDS))
        data.setlist("incidents", incidents)
        data.setlist("components", components)
    return kind(
        data,
        page=page,
        offered=page.components.visible_to(Viewer.PUBLIC).in_page_order(),
        open_incidents=page.incidents.visible_to(Viewer.PUBLIC).not_ended(),
    )


def every(fields: Fields, names: tuple[str, ...]) -> list[str]:
    return [value for name in names for value in fields.getlist(name) if value]
