"""Requests that are sent twice: the `Idempotency-Key`."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from django.http import HttpResponse

from statuspage.api.authentication import ApiRequest
from statuspage.api.errors import ApiError
from statuspage.api.models import IdempotentResponse


def once(call: Callable[[], HttpResponse], request: ApiRequest, key: str) -> HttpResponse:
    """The answer that was kept under `key`, or that of `call`, which is kept if it says yes."""
    fingerprint = sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
    kept, is_new = IdempotentResponse.objects.reserve(request.token, key, fingerprint)
    if not is_new:
        if kept.fingerprint != fingerprint:
            raise ApiError(409, "This Idempotency-Key was used for another request in the last 24 hours.")
        repeated = HttpResponse(kept.body, status=kept.status, content_type="application/json; charset=utf-8")
        repeated["Idempotency-Replayed"] = "true"
        return repeated
    response = call()
    kept.status, kept.body = response.status_code, response.content.decode()
    kept.save(update_fields=["status", "body"])
    return response
