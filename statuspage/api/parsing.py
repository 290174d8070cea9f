"""Parsing of request bodies: JSON, or a form with nested names (`incident[components][]=…`). Contract section 3.2."""

import json
import re
from itertools import pairwise
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from statuspage.api.errors import ApiError

Json = dict[str, Any]

MAX_FIELDS = 5000
MAX_DEPTH = 6
_FORM = "application/x-www-form-urlencoded"
_FIELD_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def parse_body(request: HttpRequest) -> Json:
    """Return the body as one object. An empty body is an empty object, whatever the Content-Type."""
    try:
        raw = request.body
    except RequestDataTooBig:
        raise ApiError(413, "The request is too large.") from None
    if not raw.strip():
        return {}
    content_type = (request.content_type or "").lower()
    if content_type == "multipart/form-data":
        raise ApiError(415, "Send JSON, or a form as application/x-www-form-urlencoded.")
    # curl declares everything that follows -d as a form.
    is_form = content_type == _FORM and not raw.lstrip().startswith(b"{")
    body = _parse_form(raw) if is_form else _parse_json(raw)
    check_characters(body)
    return body


def check_characters(value: Any) -> Any:
    """Return `value`. Raise ApiError if it contains a character that no database stores: NUL, or a lone surrogate."""
    if isinstance(value, str) and ("\x00" in value or any("\ud800" <= char <= "\udfff" for char in value)):
        raise ApiError(400, "The request contains an invalid character (NUL or a lone surrogate). Remove it.")
    if isinstance(value, dict):
        check_characters(list(value))
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        check_characters(item)
    return value


def _parse_json(raw: bytes) -> Json:
    try:
        body = json.loads(raw, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise ApiError(400, "The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise ApiError(400, 'The body must be one JSON object, for example {"incident": {...}}.')
    return body


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number.")


def _parse_form(raw: bytes) -> Json:
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise ApiError(400, "The body is not a valid form.") from None
    body: Json = {}
    for name, value in pairs:
        _set_value(body, _path(name), value, name)
    return body


def _path(name: str) -> list[str]:
    """Split the name of a field. `incident[components][]` is incident, components, and "" for one more list item."""
    match = _FIELD_NAME.fullmatch(name)
    if match is None:
        raise ApiError(400, f"“{name[:80]}” is not a valid field name. Example: incident[name].")
    path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    if len(path) > MAX_DEPTH or "" in path[:-1]:
        raise ApiError(400, f"The field name “{name[:80]}” is nested too deeply.")
    return path


def _set_value(target: Json, path: list[str], value: str, name: str) -> None:
    for step, following in pairwise(path):
        inner = target.setdefault(step, [] if following == "" else {})
        if isinstance(inner, list) and following == "":
            inner.append(value)
            return
        if not isinstance(inner, dict):
            raise ApiError(400, f"“{name[:80]}” is sent both as a value and as an object.")
        target = inner
    if path[-1] == "":
        raise ApiError(400, f"“{name[:80]}” is sent both as an object and as a list.")
    target[path[-1]] = value
