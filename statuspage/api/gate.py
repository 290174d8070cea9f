"""What every request under /v1/ passes before its operation: suffix, token, rate limit, transaction, repeated keys."""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from statuspage.accounts.models import ApiToken
from statuspage.accounts.ratelimit import allow, retry_after
from statuspage.accounts.tokens import usable_token
from statuspage.api.bodies import body_of, checked
from statuspage.api.errors import Refusal, answer, refused
from statuspage.api.models import KeptAnswer

MINUTE = 60
ROUTES = "statuspage.api.routes"
WRITING = ("POST", "PATCH", "PUT", "DELETE")
MAX_KEY = 255


class ApiRequest(HttpRequest):
    """What an operation gets: `token` opened the door, `data` is the parsed body."""

    token: ApiToken
    data: dict[str, Any]


@csrf_exempt
def gate(request: ApiRequest, path: str) -> HttpResponse:
    """No cookie opens it, so no other site can make a browser use it. `path` is what follows /v1/."""
    try:
        response = _answered(request, path)
    except Refusal as refusal:
        response = refused(refusal)
    if response.status_code == 204:
        del response["Content-Type"]
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Authorization"])
    return response


def _answered(request: ApiRequest, path: str) -> HttpResponse:
    request.token = _token(request)
    if not allow(f"api:{request.token.pk}", settings.API_LIMIT_PER_MINUTE, MINUTE):
        wait = {"Retry-After": str(retry_after(MINUTE))}
        raise Refusal(429, "Too many requests. Try again when Retry-After has passed.", headers=wait)
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
        raise Refusal(400, f"The Idempotency-Key is longer than {MAX_KEY} characters.")
    with transaction.atomic():
        response = _once(match, request, checked(key)) if key else _called(match, request)
        if response.status_code >= 400:
            transaction.set_rollback(True)
    return response


def _once(match: ResolverMatch, request: ApiRequest, key: str) -> HttpResponse:
    fingerprint = sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
    kept, is_new = KeptAnswer.objects.reserve(request.token, key, fingerprint)
    if not is_new:
        if kept.fingerprint != fingerprint:
            raise Refusal(409, "This Idempotency-Key was used for another request in the last 24 hours.")
        repeated = HttpResponse(kept.body, status=kept.status, content_type="application/json; charset=utf-8")
        repeated["Idempotency-Replayed"] = "true"
        return repeated
    response = _called(match, request)
    kept.status, kept.body = response.status_code, response.content.decode()
    kept.save(update_fields=["status", "body"])
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
        return resolve(f"/{path.rstrip('/').removesuffix('.json')}", urlconf=ROUTES)
    except Resolver404:
        raise Refusal(404, "There is no such path. /v1/docs lists all of them.") from None


def _token(request: HttpRequest) -> ApiToken:
    secret = _secret(request)
    token = usable_token(secret) if secret else None
    if token is None:
        raise Refusal(401, "Could not authenticate", headers={"WWW-Authenticate": 'Bearer realm="Candor"'})
    return token


def _secret(request: HttpRequest) -> str:
    """`Authorization: OAuth KEY`, `Bearer KEY`, `Basic` with the key as password, or `?api_key=KEY`."""
    scheme, _, given = request.headers.get("Authorization", "").strip().partition(" ")
    given = given.strip()
    if scheme.lower() in ("oauth", "bearer", "token"):
        return given
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return ""
        return password or user
    return request.GET.get("api_key", "")
