"""What every request under /v1/ passes before its operation: suffix, token, rate limit, transaction, repeated keys."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse, HttpResponseNotAllowed
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from statuspage.accounts.ratelimit import allow, retry_after
from statuspage.api.authentication import ApiRequest, token_of
from statuspage.api.errors import ApiError, answer, error_response
from statuspage.api.idempotency import once
from statuspage.api.parsing import body_of, checked

logger = logging.getLogger(__name__)

MINUTE = 60
URLCONF = "statuspage.api.v1.urls"
WRITING = ("POST", "PATCH", "PUT", "DELETE")
MAX_KEY = 255


@csrf_exempt
def entrypoint(request: ApiRequest, path: str) -> HttpResponse:
    """No cookie opens it, so no other site can make a browser use it. `path` is what follows /v1/."""
    try:
        response = _answered(request, path)
    except ApiError as refusal:
        response = error_response(refusal)
    except Exception:
        logger.exception("A request to the API broke: %s %s", request.method, request.path)
        response = answer(500, "Something went wrong here, and nothing was changed. It stands in the server's log.")
    if response.status_code == 204:
        del response["Content-Type"]
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Authorization"])
    return response


def _answered(request: ApiRequest, path: str) -> HttpResponse:
    request.token = token_of(request)
    if not allow(f"api:{request.token.pk}", settings.API_LIMIT_PER_MINUTE, MINUTE):
        wait = {"Retry-After": str(retry_after(MINUTE))}
        raise ApiError(429, "Too many requests. Try again when Retry-After has passed.", headers=wait)
    checked([path, *(text for name, values in request.GET.lists() for text in (name, *values))])
    match = _route(path)
    request.data = body_of(request) if request.method in WRITING else {}
    if request.method not in WRITING:
        return _called(match, request)
    return _written(match, request)


def _written(match: ResolverMatch, request: ApiRequest) -> HttpResponse:
    """All of it or nothing: an operation may take several actions."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > MAX_KEY:
        raise ApiError(400, f"The Idempotency-Key is longer than {MAX_KEY} characters.")
    with transaction.atomic():
        response = once(lambda: _called(match, request), request, checked(key)) if key else _called(match, request)
        if response.status_code >= 400:
            transaction.set_rollback(True)
    return response


def _called(match: ResolverMatch, request: ApiRequest) -> HttpResponse:
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    if isinstance(response, HttpResponseNotAllowed):
        allowed = response["Allow"]
        response = answer(405, f"Use one of: {allowed}.")
        response["Allow"] = allowed
    return response


def _route(path: str) -> ResolverMatch:
    """`.json` at the end is for old clients and means nothing."""
    try:
        found = resolve(f"/{path.rstrip('/').removesuffix('.json')}", urlconf=URLCONF)
    except Resolver404:
        found = None
    # django-ninja has a view of its own at the root.
    if found is None or found.url_name == "api-root":
        raise ApiError(404, "There is no such path. /v1/docs lists all of them.")
    return found
