"""Fetch documents from the server of another product: one request at a time, with pauses, and with retries."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from statuspage.common import outbound_http
from statuspage.importers.errors import Forbidden, NotFound, SourceError, Unreadable

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
    """Sends GET requests with `headers`, at least `rate` seconds apart. Tests replace `sleep` and `clock`."""

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
        """Return the JSON document at `url`. Raise SourceError."""
        response = self._get(url, accept="application/json")
        try:
            return json.loads(response.body)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{url} {_json_problem(response.body, error)}") from None

    def text(self, url: str) -> str:
        return self._get(url, accept="text/html, application/atom+xml").body.decode("utf-8", errors="replace")

    def _get(self, url: str, *, accept: str) -> outbound_http.Response:
        for _ in range(MAX_REDIRECTS + 1):
            response = self._get_with_retries(url, accept)
            if response.status not in REDIRECTS:
                return _checked(url, response)
            url = self._redirect_target(url, response.headers.get("location", ""))
        raise SourceError(f"{url} redirects too often")

    def _redirect_target(self, url: str, location: str) -> str:
        target = urljoin(url, location)
        if not location:
            raise SourceError(f"{url} redirects without a target")
        # The key is sent only to the host that the user has named, and only over TLS.
        if self._headers and _host(target) != _host(url):
            raise SourceError(f"{url} redirects to {urlsplit(target).netloc}: use that address instead")
        if self._headers and urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
            raise SourceError(f"{url} redirects to {target}, where the key would be sent without encryption")
        return target

    def _get_with_retries(self, url: str, accept: str) -> outbound_http.Response:
        """Repeat the request while the server is busy or unreachable."""
        problem = ""
        for attempt in range(ATTEMPTS):
            self._pause()
            try:
                response = outbound_http.get(url, headers={"Accept": accept, **self._headers}, deadline=DEADLINE)
            except (outbound_http.ForbiddenAddress, outbound_http.TooLarge) as error:
                raise SourceError(f"{url}: {error}".rstrip(".")) from error
            except outbound_http.OutboundError as error:
                problem, wait = str(error).rstrip("."), self._backoff(attempt)
            else:
                if response.status not in BUSY:
                    return response
                problem = f"it responded with {response.status}"
                wait = _retry_after(response.headers.get("retry-after", "")) or self._backoff(attempt)
            if attempt + 1 < ATTEMPTS:
                self._sleep(min(wait, LONGEST_WAIT))
        raise SourceError(f"{url} could not be read in {ATTEMPTS} attempts: {problem}")

    def _backoff(self, attempt: int) -> float:
        return float((self._rate or 0.05) * 2 ** (attempt + 1))

    def _pause(self) -> None:
        if self._last is not None and (remaining := self._last + self._rate - self._clock()) > 0:
            self._sleep(remaining)
        self._last = self._clock()
        self.calls += 1


def _host(url: str) -> str:
    """Return the host, with its port unless it is the default port of the scheme."""
    parts = urlsplit(url)
    return parts.netloc.lower().removesuffix(USUAL_PORTS.get(parts.scheme, ""))


def _checked(url: str, response: outbound_http.Response) -> outbound_http.Response:
    if response.status == 200:
        return response
    if response.status in (404, 410):
        raise NotFound(f"{url} does not exist ({response.status})")
    if response.status in (401, 403):
        raise Forbidden(f"{url} denies access ({response.status}): check the key")
    raise SourceError(f"{url} responded with {response.status}")


def _json_problem(body: bytes, error: Exception) -> str:
    if body.lstrip()[:1] == b"<":
        return "responds with a web page instead of JSON"
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
    return "is not JSON"


def _retry_after(text: str) -> float:
    """Return the seconds of a Retry-After header (RFC 9110 10.2.3), 0 if it is not valid."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
