"""The schema as people read it: by subject, in few words."""

from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from statuspage.accounts.models import Scope
from statuspage.api.router import schema
from statuspage.api.v1 import urls as urls

Json = dict[str, Any]
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
# What is looked for most comes first; subjects that are not named here come last.
ORDER = [
    "incidents",
    "postmortems",
    "incident templates",
    "components",
    "component groups",
    "subscribers",
    "metrics",
    "metrics providers",
    "pages",
    "status embed config",
]


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    needed: bool
    about: str


@dataclass(frozen=True)
class Operation:
    """`methods` do the same; `codes` are the answers that say yes."""

    anchor: str
    methods: str
    path: str
    summary: str
    scope: str
    query: list[Field]
    body: list[Field]
    codes: str
    answer: list[Field]


@dataclass(frozen=True)
class Section:
    title: str
    anchor: str
    operations: list[Operation]


def sections(whole: Json) -> list[Section]:
    """By subject."""
    found: dict[str, list[Operation]] = {}
    for path, methods in whole["paths"].items():
        served = sorted(methods.items(), key=lambda one: METHODS.index(one[0].upper()))
        for _, same in groupby(served, key=lambda one: one[1]["summary"]):
            listed = list(same)
            operation = _operation(path, [method.upper() for method, _ in listed], listed[0][1], whole)
            found.setdefault(listed[0][1]["tags"][0], []).append(operation)
    ordered = sorted(found, key=lambda title: ORDER.index(title) if title in ORDER else len(ORDER))
    return [Section(title.capitalize(), title.replace(" ", "-"), found[title]) for title in ordered]


def _operation(path: str, methods: list[str], said: Json, whole: Json) -> Operation:
    success = {code: answer for code, answer in said["responses"].items() if int(code) < 300 or int(code) == 501}
    (answer,) = success.values()
    return Operation(
        anchor=said["operationId"],
        methods=" or ".join(methods),
        path=path,
        summary=said["summary"],
        scope=said["x-scope"],
        query=[
            Field(one["name"], kind_of(one["schema"]), one["required"], one["schema"].get("description", ""))
            for one in said["parameters"]
            if one["in"] == "query"
        ],
        body=_fields(_schema_in(said.get("requestBody", {})), whole),
        codes=", ".join(str(code) for code in success),
        answer=_fields(_schema_in(answer), whole),
    )


def _schema_in(place: Json) -> Json:
    content: Json = place.get("content", {}).get("application/json", {})
    found: Json = content.get("schema", {})
    return found


def _fields(found: Json, whole: Json, prefix: str = "") -> list[Field]:
    """One level, and what stands in the one key around a request."""
    found = _resolved(found, whole)
    rows: list[Field] = []
    for name, one in found.get("properties", {}).items():
        inner = _resolved(one, whole)
        if "properties" in inner and not prefix and len(found["properties"]) <= 2:
            rows += _fields(inner, whole, f"{prefix}{name}.")
        else:
            needed = name in found.get("required", [])
            rows.append(Field(prefix + name, kind_of(one), needed, one.get("description", "")))
    return rows


def _resolved(found: Json, whole: Json) -> Json:
    """Behind references and lists."""
    if "$ref" in found:
        return _resolved(whole["components"]["schemas"][found["$ref"].rsplit("/", 1)[1]], whole)
    return _resolved(found["items"], whole) if found.get("type") == "array" else found


def kind_of(found: Json) -> str:
    """Of a schema in a few words: `text`, `number or null`, `list of ComponentOut`."""
    if "anyOf" in found:
        return " or ".join(kind_of(one) for one in found["anyOf"])
    if "enum" in found:
        return " | ".join(str(one) or "“”" for one in found["enum"])
    if "$ref" in found:
        return str(found["$ref"]).rsplit("/", 1)[1].removesuffix("Out").removesuffix("In")
    kind = found.get("type", "anything")
    if kind == "array":
        return f"list of {kind_of(found['items'])}"
    form = {"date-time": "time", "date": "day"}.get(found.get("format", ""), "")
    words: dict[str, str] = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return form or words.get(str(kind), str(kind))


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
