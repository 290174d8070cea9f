"""Responses that are ready to be sent, and the few short ones that the front door writes itself."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

Headers = Sequence[tuple[bytes, bytes]]

# Paths whose clients are programs: they get errors as JSON.
PROGRAM_PATHS = ("/api/", "/v1/", "/webhooks/email/")
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""
SECURITY = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
]


@dataclass(frozen=True)
class Reply:
    """A response to GET. `headers_304` are those of a 304: without the ones that describe the content."""

    etag: bytes
    headers: Headers
    headers_304: Headers
    body: bytes


class Refusal(Exception):
    """A request that the front door answers itself, because it is invalid or cannot be handled now.

    `retry_after`: seconds. `is_fault`: the app failed, not the client.
    """

    def __init__(self, status: int, text: str, *, retry_after: int = 0, is_fault: bool = False) -> None:
        super().__init__(text)
        self.status, self.text, self.retry_after, self.is_fault = status, text, retry_after, is_fault

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase

    @property
    def extra_headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"retry-after", b"%d" % self.retry_after)] if self.retry_after else []

    def reply(self, path: str) -> tuple[Headers, bytes]:
        """Return headers and body: JSON for the paths of programs, otherwise a small page."""
        if is_for_programs(path):
            kind, body = b"application/json", json.dumps({"error": self.text}).encode()
        else:
            kind = b"text/html; charset=utf-8"
            body = PAGE.format(title=html.escape(self.title), text=html.escape(self.text)).encode()
        length = (b"content-length", b"%d" % len(body))
        return [(b"content-type", kind), length, *SECURITY, *self.extra_headers], body


def is_for_programs(path: str) -> bool:
    return path.startswith(PROGRAM_PATHS)
