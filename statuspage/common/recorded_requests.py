"""Requests that are recorded to be made again later, in the name of the person or token that made them."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import resolve

# Secrets that authenticate a request.
_NOT_RECORDED = ("csrfmiddlewaretoken", "api_key")


def recorded(request: HttpRequest) -> dict[str, str]:
    """Return what is needed to make the request again. Forms are recorded without files; no header with a secret is."""
    if request.POST:
        content_type, body = "application/x-www-form-urlencoded", _without_secrets(request.POST)
    else:
        content_type, body = request.content_type or "", request.body.decode()
    return {
        "method": request.method or "",
        "path": request.path_info,
        "query": _without_secrets(request.GET),
        "content_type": content_type,
        "body": body,
    }


def _without_secrets(fields: QueryDict) -> str:
    public_fields = fields.copy()
    for name in _NOT_RECORDED:
        public_fields.pop(name, None)
    return public_fields.urlencode()


def rebuilt(recording: Mapping[str, str]) -> WSGIRequest:
    """Return the recorded request. No middleware has seen it, and it is not authenticated."""
    body = recording["body"].encode()
    return WSGIRequest(
        {
            "REQUEST_METHOD": recording["method"],
            "PATH_INFO": recording["path"],
            "QUERY_STRING": recording["query"],
            "CONTENT_TYPE": recording["content_type"],
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
        }
    )


def respond_to(request: HttpRequest) -> HttpResponse:
    """Call the view of the request, without middleware."""
    match = resolve(request.path_info)
    request.resolver_match = match
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return response
