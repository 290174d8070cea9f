"""The API reference: the OpenAPI schema, and an HTML page that is made from it. Both are public."""

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
# The most used subjects first. Subjects that are not listed here come last.
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
    type: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class Operation:
    """`methods` do the same. `codes` are the status codes of success."""

    anchor: str
    methods: str
    path: str
    summary: str
    scope: str
    query: list[Field]
    body: list[Field]
    codes: str
    response: list[Field]


@dataclass(frozen=True)
class Section:
    title: str
    anchor: str
    operations: list[Operation]


def sections(openapi: Json) -> list[Section]:
    """Return the operations of a schema by subject."""
    by_subject: dict[str, list[Operation]] = {}
    for path, methods in openapi["paths"].items():
        served = sorted(methods.items(), key=lambda item: METHODS.index(item[0].upper()))
        for _, items in groupby(served, key=lambda item: item[1]["summary"]):
            group = list(items)
            first: Json = group[0][1]
            operation = _operation(path, [method.upper() for method, _ in group], first, openapi)
            by_subject.setdefault(first["tags"][0], []).append(operation)
    subjects = sorted(by_subject, key=lambda title: ORDER.index(title) if title in ORDER else len(ORDER))
    return [Section(title.capitalize(), title.replace(" ", "-"), by_subject[title]) for title in subjects]


def _operation(path: str, methods: list[str], operation: Json, openapi: Json) -> Operation:
    responses = operation["responses"].items()
    success = {code: response for code, response in responses if int(code) < 300 or int(code) == 501}
    (response,) = success.values()
    return Operation(
        anchor=operation["operationId"],
        methods=" or ".join(methods),
        path=path,
        summary=operation["summary"],
        scope=operation["x-scope"],
        query=[
            Field(row["name"], type_label(row["schema"]), row["required"], row["schema"].get("description", ""))
            for row in operation["parameters"]
            if row["in"] == "query"
        ],
        body=_fields(_json_schema(operation.get("requestBody", {})), openapi),
        codes=", ".join(str(code) for code in success),
        response=_fields(_json_schema(response), openapi),
    )


def _json_schema(message: Json) -> Json:
    """Return the schema of a request's or a response's JSON body, {} if it has none."""
    content: Json = message.get("content", {}).get("application/json", {})
    schema: Json = content.get("schema", {})
    return schema


def _fields(schema: Json, openapi: Json, prefix: str = "") -> list[Field]:
    """Return the fields of one level. The fields of the object around a request are listed too."""
    schema = _resolve(schema, openapi)
    fields: list[Field] = []
    for name, field in schema.get("properties", {}).items():
        inner = _resolve(field, openapi)
        if "properties" in inner and not prefix and len(schema["properties"]) <= 2:
            fields += _fields(inner, openapi, f"{prefix}{name}.")
        else:
            is_required = name in schema.get("required", [])
            fields.append(Field(prefix + name, type_label(field), is_required, field.get("description", "")))
    return fields


def _resolve(schema: Json, openapi: Json) -> Json:
    """Follow references, and take the items of lists."""
    if "$ref" in schema:
        return _resolve(openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], openapi)
    return _resolve(schema["items"], openapi) if schema.get("type") == "array" else schema


def type_label(schema: Json) -> str:
    """Describe the type of a schema: `text`, `number or null`, `list of ComponentOut`."""
    if "anyOf" in schema:
        return " or ".join(type_label(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) or "“”" for value in schema["enum"])
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1].removesuffix("Out").removesuffix("In")
    type_name = schema.get("type", "any")
    if type_name == "array":
        return f"list of {type_label(schema['items'])}"
    by_format = {"date-time": "time", "date": "date"}.get(schema.get("format", ""), "")
    labels: dict[str, str] = {"string": "text", "integer": "integer", "boolean": "true or false"}
    return by_format or labels.get(str(type_name), str(type_name))


MAX_AGE = 300


@cache
def openapi_schema() -> Json:
    return schema()


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1."""
    return _cached(JsonResponse(openapi_schema()))


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Render the reference without the request, so that the response depends on no cookie or session."""
    context = {"sections": sections(openapi_schema()), "scopes": Scope.choices}
    return _cached(HttpResponse(render_to_string("api/docs.html", context)))


def _cached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = f"public, max-age={MAX_AGE}"
    return response
