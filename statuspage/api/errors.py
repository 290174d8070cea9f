"""Error responses. Clients read either `error` or `message`, so each has both (contract section 3.2)."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.errors import ValidationError as BadRequest

CONTAINERS = frozenset(
    [
        "component",
        "component_group",
        "incident",
        "incident_update",
        "metric",
        "metrics_provider",
        "page",
        "postmortem",
        "status_embed_config",
        "subscriber",
        "template",
    ]
)


class ApiError(Exception):
    """An error response."""

    def __init__(self, status: int, message: str, *, field: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.fields = {field: [message]} if field else {}
        self.headers = dict(headers or {})


def error_body(status: int, message: str, fields: Mapping[str, Iterable[str]] | None = None) -> HttpResponse:
    """Return a response. `error` is the messages by field, or one message; `message` is all of them in one line."""
    by_field = {name: list(messages) for name, messages in (fields or {}).items()}
    line = " ".join(f"{name}: {' '.join(messages)}" for name, messages in by_field.items())
    return JsonResponse({"error": by_field or message, "message": line or message}, status=status)


def error_response(error: ApiError) -> HttpResponse:
    response = error_body(error.status, str(error), error.fields)
    for name, value in error.headers.items():
        response[name] = value
    return response


def install(api: NinjaAPI) -> None:
    """Register a handler for every exception that an endpoint may raise."""

    @api.exception_handler(ApiError)
    def on_api_error(request: HttpRequest, error: ApiError) -> HttpResponse:
        return error_response(error)

    @api.exception_handler(ValidationError)
    def on_validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
        return error_body(422, "; ".join(error.messages), _by_field(error))

    @api.exception_handler(BadRequest)
    def on_bad_request(request: HttpRequest, error: BadRequest) -> HttpResponse:
        return error_body(422, "The request is invalid.", _by_request_field(error.errors))

    @api.exception_handler(Http404)
    def on_not_found(request: HttpRequest, error: Http404) -> HttpResponse:
        return error_body(404, "not found")

    @api.exception_handler(HttpError)
    def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
        return error_body(error.status_code, str(error))


def _by_field(error: ValidationError) -> dict[str, list[str]]:
    if not hasattr(error, "error_dict"):
        return {}
    return {"base" if name == NON_FIELD_ERRORS else name: messages for name, messages in error.message_dict.items()}


def _by_request_field(errors: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Return messages by the field's name as the client wrote it, without the object around all fields."""
    messages: dict[str, list[str]] = {}
    for error in errors:
        # The first step is "body" or "query", the second the name of the endpoint's parameter.
        path = [str(step) for step in (error["loc"][2:] if error["loc"][0] == "body" else error["loc"][-1:])]
        if len(path) > 1 and path[0] in CONTAINERS:
            path = path[1:]
        messages.setdefault(".".join(path) or "body", []).append(_message(error))
    return messages


def _message(error: Mapping[str, Any]) -> str:
    if error["type"] == "missing":
        return "is missing"
    text = str(error["msg"]).removeprefix("Value error, ")
    return text if text.endswith(".") else f"{text}."
