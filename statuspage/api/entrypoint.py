"""The view of every URL under /v1/: token, rate limit, body, transaction and Idempotency-Key, then the endpoint."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse, HttpResponseNotAllowed
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from statuspage.accounts.ratelimit import allow, retry_after
from statuspage.api.authentication import ApiRequest, authenticate
from statuspage.api.errors import ApiError, error_body, error_response
from statuspage.api.idempotency import run_once
from statuspage.api.parsing import check_characters, parse_body
from statuspage.common.database_errors import database_failure

logger = logging.getLogger(__name__)

MINUTE = 60
URLCONF = "statuspage.api.v1.urls"
WRITING = ("POST", "PATCH", "PUT", "DELETE")
MAX_KEY = 255


@csrf_exempt
def entrypoint(request: ApiRequest, path: str) -> HttpResponse:
    """Serve `path`, which is the URL after /v1/. Cookies are not read, so no CSRF protection is needed."""
    try:
        response = _respond(request, path)
    except ApiError as error:
        response = error_response(error)
    except Exception as error:
        if database_failure(error):
            raise  # DatabaseMiddleware answers
        logger.exception("Unhandled error in an API request: %s %s", request.method, request.path)
        response = error_body(500, "An internal error occurred. Nothing was changed. Details are in the server's log.")
    if response.status_code == 204:
        del response["Content-Type"]
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Authorization"])
    return response


def _respond(request: ApiRequest, path: str) -> HttpResponse:
    request.token = authenticate(request)
    if not allow(f"api:{request.token.pk}", settings.API_LIMIT_PER_MINUTE, MINUTE):
        headers = {"Retry-After": str(retry_after(MINUTE))}
        raise ApiError(429, "Too many requests. Try again after the time in Retry-After.", headers=headers)
    check_characters([path, *(text for name, values in request.GET.lists() for text in (name, *values))])
    match = _resolve(path)
    request.data = parse_body(request) if request.method in WRITING else {}
    if request.method not in WRITING:
        return _call(match, request)
    return _write(match, request)


def _write(match: ResolverMatch, request: ApiRequest) -> HttpResponse:
    """Call the endpoint in one transaction: it may run several actions. An error rolls all of them back."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > MAX_KEY:
        raise ApiError(400, f"The Idempotency-Key is too long. Use at most {MAX_KEY} characters.")
    with transaction.atomic():
        if key:
            response = run_once(lambda: _call(match, request), request, check_characters(key))
        else:
            response = _call(match, request)
        if response.status_code >= 400:
            transaction.set_rollback(True)
    return response


def _call(match: ResolverMatch, request: ApiRequest) -> HttpResponse:
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    if isinstance(response, HttpResponseNotAllowed):
        allowed = response["Allow"]
        response = error_body(405, f"This method is not allowed here. Use one of: {allowed}.")
        response["Allow"] = allowed
    return response


def _resolve(path: str) -> ResolverMatch:
    """Find the endpoint of a path. Old clients append `.json`, which is ignored."""
    try:
        match = resolve(f"/{path.rstrip('/').removesuffix('.json')}", urlconf=URLCONF)
    except Resolver404:
        match = None
    # django-ninja adds a view of its own at the root.
    if match is None or match.url_name == "api-root":
        raise ApiError(404, "There is no such endpoint. See /v1/docs for a list.")
    return match
