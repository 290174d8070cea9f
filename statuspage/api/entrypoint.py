"""The view of every URL under /v1/: token, rate limit, body, transaction and Idempotency-Key, then the endpoint."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import Resolver404, ResolverMatch, resolve, reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from incidents.errors import ApprovalRequired
from statuspage.accounts import approval
from statuspage.accounts.ratelimit import allow, retry_after
from statuspage.api.authentication import ApiRequest, authenticate
from statuspage.api.errors import ApiError, error_body, error_response
from statuspage.api.idempotency import run_once
from statuspage.api.parsing import check_characters, parse_body
from statuspage.common.database_errors import database_failure
from statuspage.common.urls import absolute_url

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
    try:
        return _write(lambda: _call(match, request), request)
    except ApprovalRequired:
        return _write(lambda: _propose(match, request), request)


def _propose(match: ResolverMatch, request: ApiRequest) -> HttpResponse:
    """Store the request for approval by a person who did not create the token."""
    request.data = parse_body(request)
    outcome = approval.try_out(lambda: _call(match, request), request.token.page, request.token)
    proposal = approval.propose(outcome, request, request.token.page, request.token)
    if proposal is None:
        return cast("HttpResponse", outcome.response)
    page = request.token.page
    content = {
        "message": "This page requires approval. The change waits for a person to approve it in the console.",
        "proposal": {
            "id": proposal.public_id,
            "state": proposal.state,
            "url": absolute_url(page, reverse("console:proposal", args=[page.public_id, proposal.public_id])),
        },
    }
    return JsonResponse(content, status=202)


def _write(call: Callable[[], HttpResponse], request: ApiRequest) -> HttpResponse:
    """Call the endpoint in one transaction: it may run several actions. An error rolls all of them back."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > MAX_KEY:
        raise ApiError(400, f"The Idempotency-Key is too long. Use at most {MAX_KEY} characters.")
    with transaction.atomic():
        response = run_once(call, request, check_characters(key)) if key else call()
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
