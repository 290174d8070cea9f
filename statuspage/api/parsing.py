"""What a request carries: JSON, or a form with nested names (`incident[components][]=…`). Contract section 3.2."""

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
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def body_of(request: HttpRequest) -> Json:
    """The body as one object; empty if there is none, whatever the Content-Type says of nothing."""
    try:
        raw = request.body
    except RequestDataTooBig:
        raise ApiError(413, "The request is too big.") from None
    if not raw.strip():
        return {}
    kind = (request.content_type or "").lower()
    if kind == "multipart/form-data":
        raise ApiError(415, "Send JSON, or a form as application/x-www-form-urlencoded.")
    # curl calls whatever follows -d a form.
    is_form = kind == _FORM and not raw.lstrip().startswith(b"{")
    found = _form(raw) if is_form else _json(raw)
    checked(found)
    return found


def checked(value: Any) -> Any:
    """ValueError's twin for what no database can keep: NUL, and halves of UTF-16 pairs."""
    if isinstance(value, str) and ("\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
        raise ApiError(400, "The request contains a character that is none (NUL, or half of a pair).")
    if isinstance(value, dict):
        checked(list(value))
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        checked(part)
    return value


def _json(raw: bytes) -> Json:
    try:
        found = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ApiError(400, "The body is not JSON that can be read.") from None
    if not isinstance(found, dict):
        raise ApiError(400, 'The body must be one JSON object, like {"incident": {...}}.')
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON.")


def _form(raw: bytes) -> Json:
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise ApiError(400, "The form cannot be read.") from None
    found: Json = {}
    for name, value in pairs:
        _put(found, _path(name), value, name)
    return found


def _path(name: str) -> list[str]:
    """`incident[components][]` is incident, components, and "" for one more of a list."""
    matched = _NAME.fullmatch(name)
    if matched is None:
        raise ApiError(400, f"“{name[:80]}” is not the name of a field. It is like incident[name].")
    path = [matched[1], *re.findall(r"\[([^\[\]]*)\]", matched[2])]
    if len(path) > MAX_DEPTH or "" in path[:-1]:
        raise ApiError(400, f"“{name[:80]}” is nested too deep.")
    return path


def _put(into: Json, path: list[str], value: str, name: str) -> None:
    for step, following in pairwise(path):
        inner = into.setdefault(step, [] if following == "" else {})
        if isinstance(inner, list) and following == "":
            inner.append(value)
            return
        if not isinstance(inner, dict):
            raise ApiError(400, f"“{name[:80]}” is given both as a list or text and as an object.")
        into = inner
    if path[-1] == "":
        raise ApiError(400, f"“{name[:80]}” is given both as an object and as a list.")
    into[path[-1]] = value
