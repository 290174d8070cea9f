"""A program at the management API: a token, and requests as JSON."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from incidents.actor import SYSTEM
from incidents.models import Page
from statuspage.accounts import tokens
from statuspage.accounts.models import ApiToken, Scope


@dataclass
class Program:
    page: Page
    secret: str
    token: ApiToken
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`path` follows the page's own address. The answer as Django's test client has it."""
        sent = {"authorization": f"OAuth {self.secret}", **headers}
        data = "" if body is None else json.dumps(body)
        address = path if path.startswith("/v1") else f"/v1/pages/{self.page.public_id}{path}"
        return self.client.generic(method, address, data, content_type="application/json", headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        return self._json(self.request("GET", path, **headers), 200)

    def post(self, path: str, body: Any = None, *, code: int = 201, key: str = "") -> Any:
        return self._json(self.request("POST", path, body, **_keyed(key)), code)

    def patch(self, path: str, body: Any, *, code: int = 200, key: str = "") -> Any:
        return self._json(self.request("PATCH", path, body, **_keyed(key)), code)

    def put(self, path: str, body: Any = None, *, code: int = 200) -> Any:
        return self._json(self.request("PUT", path, body), code)

    def delete(self, path: str, *, code: int = 200) -> Any:
        return self._json(self.request("DELETE", path), code)

    def _json(self, response: Any, code: int) -> Any:
        assert response.status_code == code, (response.status_code, response.content[:2000])
        return json.loads(response.content) if response.content else None


def _keyed(key: str) -> dict[str, str]:
    return {"idempotency-key": key} if key else {}


def make_program(page: Page, *scopes: str, name: str = "Deploy script", **more: Any) -> Program:
    """One that may do everything, unless `scopes` say what it may."""
    token, secret = tokens.create(page, name=name, scopes=scopes or [Scope.ADMIN], actor=SYSTEM, **more)
    return Program(page, secret, token)
