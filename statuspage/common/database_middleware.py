"""Answer 503 when the database fails: JSON, a page, or the form as it was submitted. Other errors stay errors."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.html import escape
from django.utils.log import log_response

from statuspage.common.database_errors import AWAY, DatabaseFailure, database_failure
from statuspage.common.json_responses import for_any_origin
from statuspage.common.submitted_fields import submitted_fields

# For as long, no request tries to connect after a connection attempt timed out.
AWAY_SECONDS = 2.0
API_PATHS = ("/v1/", "/api/")
# These report the state of the database themselves.
PROBES = ("/livez", "/readyz", "/metrics")

LOCKS_ROWS = re.compile(r"\bFOR (NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)\b")

# While a form is rendered again, the reason why its action could not run. The first form takes it.
refusal: ContextVar[list[str]] = ContextVar("refusal")


class DatabaseMiddleware:
    """After CsrfViewMiddleware: a submitted form is shown again only to the person who submitted it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.away_until = 0.0

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponseBase | None:
        if time.monotonic() < self.away_until and request.path not in PROBES:
            return unavailable(request, AWAY)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        failure = database_failure(exception)
        if failure is None:
            return None
        if type(exception.__cause__).__name__ == "ConnectionTimeout":
            self.away_until = time.monotonic() + AWAY_SECONDS
        response = _form_again(request, failure, exception) or unavailable(request, failure)
        reason = " ".join(str(exception).split())
        log_response("%s %s: %s", request.method, request.path, reason, response=response, request=request)
        return response


def is_form_shown_again() -> bool:
    """Return whether the view runs only to show its form with the reason. It cannot write or begin a transaction."""
    return refusal.get(None) is not None


def unavailable(request: HttpRequest, failure: DatabaseFailure) -> HttpResponse:
    """Return the 503 response. It needs no database."""
    if request.path.startswith(API_PATHS) or request.path.endswith(".json"):
        message = _message(request, failure)
        response: HttpResponse = JsonResponse({"error": message, "message": message})
        if not request.path.startswith("/v1/"):
            for_any_origin(response)
    elif request.headers.get("HX-Request"):
        # Nothing that the person typed is replaced, and polling goes on.
        response = HttpResponse(render_to_string("common/_database_notice.html", {"message": failure.reason}))
        response["HX-Retarget"], response["HX-Reswap"] = "#toasts", "innerHTML" if request.method == "POST" else "none"
    else:
        response = HttpResponse(_page(request, failure))
    return _as_unavailable(response, failure)


def _page(request: HttpRequest, failure: DatabaseFailure) -> str:
    is_staff = request.path.startswith("/console/")
    fields = submitted_fields(request, addresses_only=not is_staff)
    context: dict[str, Any] = {
        "failure": failure,
        "fields": fields,
        "is_staff": is_staff,
        "path": request.get_full_path(),
    }
    context |= {"method": request.method, "has_files": bool(request.FILES) if fields else False}
    if fields:
        context["csrf_token"] = get_token(request)
    return render_to_string("common/unavailable.html", context)


def _message(request: HttpRequest, failure: DatabaseFailure) -> str:
    return failure.reason if request.method not in ("GET", "HEAD") else f"{failure.problem} {failure.advice}"


def _as_unavailable(response: HttpResponse, failure: DatabaseFailure) -> HttpResponse:
    response.status_code = 503
    response["Retry-After"] = str(failure.retry_after)
    add_never_cache_headers(response)
    return response


def _form_again(request: HttpRequest, failure: DatabaseFailure, error: Exception) -> HttpResponse | None:
    """Call the view again with a form that refuses its values, and without a way to write.

    Return None if the view does not show the form with the reason: its page cannot be read, or it has no such form.
    """
    match = request.resolver_match
    if request.method != "POST" or not failure.readable or match is None or request.headers.get("HX-Request"):
        return None
    token = refusal.set([failure.reason])
    try:
        with _reads_only(error):
            response = match.func(request, *match.args, **match.kwargs)
    except Exception:  # whatever it is, the page without a database still shows the text
        return None
    finally:
        refusal.reset(token)
    is_form = response.status_code == 422 and escape(failure.reason).encode() in response.content
    return _as_unavailable(response, failure) if is_form else None


def is_plain_read(sql: str) -> bool:
    """Return whether the statement only reads and waits for no row lock. A union begins with a parenthesis."""
    statement = sql.lstrip(" (").upper()
    return statement.startswith("SELECT") and not LOCKS_ROWS.search(statement)


@contextmanager
def _reads_only(error: Exception) -> Iterator[None]:
    """Raise `error` for each statement that may write or wait for a lock."""

    def guard(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's signature
        if not is_plain_read(sql):
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(guard):
        yield
