"""Authentication of requests by API token."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.http import HttpRequest

from statuspage.accounts.models import ApiToken
from statuspage.accounts.tokens import usable_token
from statuspage.api.errors import ApiError


class ApiRequest(HttpRequest):
    """The request of an endpoint: `token` authenticated it, and `data` is its parsed body."""

    token: ApiToken
    data: dict[str, Any]


def authenticate(request: HttpRequest) -> ApiToken:
    """Return the token of the request. Raise ApiError if there is no valid one.

    A request that is made again after its approval has its token already: it contains no secret.
    """
    acting_token: ApiToken | None = getattr(request, "acting_token", None)
    if acting_token:
        return acting_token
    secret = _secret(request)
    token = usable_token(secret) if secret else None
    if token is None:
        raise ApiError(401, "Could not authenticate", headers={"WWW-Authenticate": 'Bearer realm="Candor"'})
    return token


def _secret(request: HttpRequest) -> str:
    """`Authorization: OAuth KEY`, `Bearer KEY`, `Basic` with the key as password, or `?api_key=KEY`."""
    scheme, _, credentials = request.headers.get("Authorization", "").strip().partition(" ")
    credentials = credentials.strip()
    if scheme.lower() in ("oauth", "bearer", "token"):
        return credentials
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return ""
        return password or user
    return request.GET.get("api_key", "")
