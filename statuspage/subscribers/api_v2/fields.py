"""Parse the body of a subscription request, form data or JSON (contract section 1.6)."""

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
FormT = TypeVar("FormT", bound=CollapsibleForm)

# The parameter names of old Statuspage clients and of its management API.
INCIDENT = ("incident", "incident_id")
COMPONENTS = ("component_id", "component_ids", "component_ids[]")


class InvalidBody(ValueError):
    """The body does not match its Content-Type."""


def read_fields(request: HttpRequest) -> Fields:
    """Return the fields in `subscriber[…]` or at the top level. InvalidBody unless the body is a JSON object."""
    if request.content_type == "application/json":
        return _from_json(request.body)
    body = request.POST if request.method == "POST" else QueryDict(request.body or request.GET.urlencode())
    return MultiValueDict({name.removeprefix("subscriber[").replace("]", "", 1): many for name, many in body.lists()})


def _from_json(raw: bytes) -> Fields:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidBody("The body is not valid JSON.") from None
    inner = body.get("subscriber", body) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        raise InvalidBody("The body must be an object like {“subscriber”: {“email”: “ada@example.com”}}.")
    values = {name: value if isinstance(value, list) else [value] for name, value in inner.items()}
    return MultiValueDict({name: [str(value) for value in many if value is not None] for name, many in values.items()})


def build_form(page: Page, fields: Fields, kind: type[FormT]) -> FormT:
    """Return the bound form of the subscription page, so that both report the same errors."""
    data = MultiValueDict({name: [fields.get(name) or ""] for name in ("email", "endpoint")})
    incidents, components = values_of(fields, INCIDENT), values_of(fields, COMPONENTS)
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


def values_of(fields: Fields, names: tuple[str, ...]) -> list[str]:
    return [value for name in names for value in fields.getlist(name) if value]
