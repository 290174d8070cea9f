"""Asking another product's server, politely: one call at a time, with a pause between, and again when it is busy."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from statuspage.common import http
from statuspage.importers.errors import Forbidden, NotThere, SourceError, Unreadable

ATTEMPTS = 5
# Seconds.
DEADLINE = 120.0
LONGEST_WAIT = 600.0
DEFAULT_RATE = 1.0
MAX_REDIRECTS = 3
BUSY = {408, 420, 425, 429, 500, 502, 503, 504}
REDIRECTS = {301, 302, 303, 307, 308}
USUAL_PORTS = {"http": ":80", "https": ":443"}


class Fetcher:
    """GETs documents. `rate`: seconds from one call to the next, at least. `headers` go with each.

    `sleep` and `clock` are for tests that cannot wait.
    """

    def __init__(
        self,
        *,
        rate: float = DEFAULT_RATE,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.calls = 0
        self._rate = rate
        self._headers = dict(headers or {})
        self._sleep = sleep
        self._clock = clock
        self._last: float | None = None

    def json(self, url: str) -> Any:
        """The JSON document at `url`. SourceError."""
        response = self._get(url, accept="application/json")
        try:
            return json.loads(response.body)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{url} {_what_is_wrong(response.body, error)}") from None

    def text(self, url: str) -> str:
        return self._get(url, accept="text/html, application/atom+xml").body.decode("utf-8", errors="replace")

    def _get(self, url: str, *, accept: str) -> http.Response:
        for _ in range(MAX_REDIRECTS + 1):
            response = self._insist(url, accept)
            if response.status not in REDIRECTS:
                return _good(url, response)
            url = self._moved(url, response.headers.get("location", ""))
        raise SourceError(f"{url} leads round in circles")

    def _moved(self, url: str, location: str) -> str:
        target = urljoin(url, location)
        if not location:
            raise SourceError(f"{url} has moved, and does not say where to")
        # A key is for the host that it was given to, and for nobody on the way there.
        if self._headers and _host(target) != _host(url):
            raise SourceError(f"{url} has moved to {urlsplit(target).netloc}: name that address instead")
        if self._headers and urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
            raise SourceError(f"{url} has moved to {target}, where a key could be read on the way")
        return target

    def _insist(self, url: str, accept: str) -> http.Response:
        """An answer that says more than “busy”."""
        trouble = ""
        for attempt in range(ATTEMPTS):
            self._pause()
            try:
                response = http.get(url, headers={"Accept": accept, **self._headers}, deadline=DEADLINE)
            except (http.ForbiddenAddress, http.TooLarge) as error:
                raise SourceError(f"{url}: {error}".rstrip(".")) from error
            except http.OutboundError as error:
                trouble, wait = str(error).rstrip("."), self._backoff(attempt)
            else:
                if response.status not in BUSY:
                    return response
                trouble = f"it answered {response.status}"
                wait = _asked_wait(response.headers.get("retry-after", "")) or self._backoff(attempt)
            if attempt + 1 < ATTEMPTS:
                self._sleep(min(wait, LONGEST_WAIT))
        raise SourceError(f"{url} could not be read in {ATTEMPTS} attempts: {trouble}")

    def _backoff(self, attempt: int) -> float:
        return float((self._rate or 0.05) * 2 ** (attempt + 1))

    def _pause(self) -> None:
        if self._last is not None and (left := self._last + self._rate - self._clock()) > 0:
            self._sleep(left)
        self._last = self._clock()
        self.calls += 1


def _host(url: str) -> str:
    """With its port, unless that is the usual one of the scheme."""
    parts = urlsplit(url)
    return parts.netloc.lower().removesuffix(USUAL_PORTS.get(parts.scheme, ""))


def _good(url: str, response: http.Response) -> http.Response:
    if response.status == 200:
        return response
    if response.status in (404, 410):
        raise NotThere(f"{url} does not exist ({response.status})")
    if response.status in (401, 403):
        raise Forbidden(f"{url} is not for us ({response.status}): is the key right?")
    raise SourceError(f"{url} answered {response.status}")


def _what_is_wrong(body: bytes, error: Exception) -> str:
    if body.lstrip()[:1] == b"<":
        return "answers with a web page where JSON is due"
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
    return "is not JSON"


def _asked_wait(text: str) -> float:
    """Seconds that a Retry-After header asks for (RFC 9110 10.2.3); 0 if it makes no sense."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
