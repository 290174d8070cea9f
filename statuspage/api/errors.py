"""What is said when something cannot be done: `error` and `message`, for both kinds of clients (contract 3.2)."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
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
    """An answer other than success, in plain words."""

    def __init__(self, status: int, message: str, *, field: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.fields = {field: [message]} if field else {}
        self.headers = dict(headers or {})


def answer(status: int, message: str, fields: Mapping[str, Iterable[str]] | None = None) -> HttpResponse:
    """`error` holds the sentences by field, or the one sentence; `message` is all of it in one line."""
    said = {name: list(texts) for name, texts in (fields or {}).items()}
    line = " ".join(f"{name}: {' '.join(texts)}" for name, texts in said.items())
    return JsonResponse({"error": said or message, "message": line or message}, status=status)


def error_response(refusal: ApiError) -> HttpResponse:
    response = answer(refusal.status, str(refusal), refusal.fields)
    for name, value in refusal.headers.items():
        response[name] = value
    return response


def install(api: NinjaAPI) -> None:
    """Every error that an operation can meet."""

    @api.exception_handler(ApiError)
    def on_refusal(request: HttpRequest, error: ApiError) -> HttpResponse:
        return error_response(error)

    @api.exception_handler(ValidationError)
    def on_domain(request: HttpRequest, error: ValidationError) -> HttpResponse:
        return answer(422, "; ".join(error.messages), _by_field(error))

    @api.exception_handler(BadRequest)
    def on_request(request: HttpRequest, error: BadRequest) -> HttpResponse:
        return answer(422, "The request cannot be understood.", _by_place(error.errors))

    @api.exception_handler(Http404)
    def on_missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return answer(404, "not found")

    @api.exception_handler(HttpError)
    def on_http(request: HttpRequest, error: HttpError) -> HttpResponse:
        return answer(error.status_code, str(error))


@contextmanager
def rename_fields(**names: str) -> Iterator[None]:
    """What the domain calls otherwise than Statuspage: `told_as(title="name")`."""
    try:
        yield
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        said = {names.get(field, field): texts for field, texts in error.message_dict.items()}
        raise ValidationError(said) from None


def _by_field(error: ValidationError) -> dict[str, list[str]]:
    if not hasattr(error, "error_dict"):
        return {}
    return {"base" if name == NON_FIELD_ERRORS else name: texts for name, texts in error.message_dict.items()}


def _by_place(errors: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """The name of the field as the client wrote it, without body and container."""
    found: dict[str, list[str]] = {}
    for one in errors:
        # The first step is body or query, then comes the name of a parameter of ours.
        place = [str(step) for step in (one["loc"][2:] if one["loc"][0] == "body" else one["loc"][-1:])]
        if len(place) > 1 and place[0] in CONTAINERS:
            place = place[1:]
        found.setdefault(".".join(place) or "body", []).append(_sentence(one))
    return found


def _sentence(error: Mapping[str, Any]) -> str:
    if error["type"] == "missing":
        return "is missing"
    text = str(error["msg"]).removeprefix("Value error, ")
    return text if text.endswith(".") else f"{text}."
