"""Safe repetition of requests by the `Idempotency-Key` header."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from django.http import HttpResponse

from statuspage.api.authentication import ApiRequest
from statuspage.api.errors import ApiError
from statuspage.api.models import IdempotentResponse


def run_once(call: Callable[[], HttpResponse], request: ApiRequest, key: str) -> HttpResponse:
    """Return the response that was saved under `key`; if there is none, the response of `call`.

    The response of `call` is saved in the same transaction, so an error, which rolls it back, is not saved.
    """
    fingerprint = sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
    saved, is_new = IdempotentResponse.objects.reserve(request.token, key, fingerprint)
    if not is_new:
        if saved.fingerprint != fingerprint:
            raise ApiError(409, "This Idempotency-Key was used for a different request in the last 24 hours.")
        replay = HttpResponse(saved.body, status=saved.status, content_type="application/json; charset=utf-8")
        replay["Idempotency-Replayed"] = "true"
        return replay
    response = call()
    saved.status, saved.body = response.status_code, response.content.decode()
    saved.save(update_fields=["status", "body"])
    return response
