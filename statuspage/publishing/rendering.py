"""Render a path with Django itself, so that the published file equals the application's response."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from urllib.parse import urlsplit

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpResponse

from incidents.models import Page
from statuspage.common.urls import absolute_url
from statuspage.publishing.generation_writer import Answer

# Headers that the server of the file sets.
NOT_KEPT = {"etag", "last-modified", "content-length", "vary", "date", "expires", "set-cookie"}
ASSUMED = {"HTTP_USER_AGENT": "Candor", "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1"}


class CannotRender(Exception):
    """The application responded with an error, or with a cookie, which only one visitor may receive."""


def render(page: Page, path: str) -> Answer | None:
    """Return the response to an anonymous GET of `path`, or None if it is 404. Raises CannotRender."""
    response = _handler().get_response(_request(page, path))
    if response.status_code == 404:
        return None
    if response.status_code != 200 or not isinstance(response, HttpResponse) or response.cookies:
        raise CannotRender(f"{path} answered with {response.status_code}.")
    headers = {name: value for name, value in response.items() if name.lower() not in NOT_KEPT}
    return Answer(response.content, headers)


@cache
def _handler() -> WSGIHandler:
    return WSGIHandler()


def _request(page: Page, path: str) -> WSGIRequest:
    url = urlsplit(absolute_url(page, path))
    port = url.port or (443 if url.scheme == "https" else 80)
    return WSGIRequest(
        {
            **ASSUMED,
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "HTTP_HOST": url.netloc,
            "SERVER_NAME": url.hostname or "localhost",
            "SERVER_PORT": str(port),
            "wsgi.url_scheme": url.scheme,
            "wsgi.input": BytesIO(),
            "wsgi.errors": BytesIO(),
        }
    )
