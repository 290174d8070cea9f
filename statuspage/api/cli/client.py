"""HTTP client of the command line. It imports neither Django nor other parts of Candor, so it runs anywhere."""

import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

TIMEOUT = 30
ATTEMPTS = 3
MAX_WAIT = 30
RETRIED = (429, 502, 503, 504)

# Exit codes.
REFUSED, USAGE, NOT_ALLOWED, UNREACHABLE, WAITING, NOT_WELL = 1, 2, 3, 4, 5, 10


class CliError(Exception):
    """An error message, and the exit code for it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Server:
    """The API of an installation. A request that writes has an Idempotency-Key, so that retries are safe."""

    url: str
    token: str
    page: str = ""

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).netloc:
            raise CliError("Set CANDOR_URL to the URL of your Candor. Example: https://status.example.com", USAGE)
        if not self.token:
            raise CliError("Set CANDOR_TOKEN. An owner creates tokens in the console.", USAGE)

    def request_page(self, method: str, path: str, body: Any = None, **query: object) -> Any:
        """Send a request about the token's page. `path` follows the page's own path."""
        self.page = self.page or self.request("GET", "/pages")[0]["id"]
        return self.request(method, f"/pages/{quote(self.page)}{path}", body, **query)

    def request(self, method: str, path: str, body: Any = None, **query: object) -> Any:
        """Return the JSON of the response. Raise CliError unless it succeeded, and if it waits for approval."""
        address = f"{self.url.rstrip('/')}/v1{path}{'?' + urlencode(query) if query else ''}"
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "User-Agent": "candor"}
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310 - http or https, see above
        return self._send(request)

    def _send(self, request: urllib.request.Request) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
                    text, status = response.read(), response.status
                content: Any = json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                if error.code not in RETRIED or attempt == ATTEMPTS:
                    raise _api_error(error) from None
                wait = _seconds(error.headers.get("Retry-After", ""), attempt)
                error.close()
            except (OSError, ValueError) as error:
                if attempt == ATTEMPTS or isinstance(error, ValueError):
                    raise CliError(f"Cannot connect to {self.url}: {_reason(error)}", UNREACHABLE) from None
                wait = attempt
            else:
                if status == HTTPStatus.ACCEPTED and "proposal" in content:
                    raise CliError(f"{content['message']} {content['proposal']['url']}", WAITING)
                return content
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")


def _seconds(retry_after: str, attempt: int) -> int:
    return min(int(retry_after) if retry_after.isdecimal() else attempt, MAX_WAIT)


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason) or type(error).__name__


def _api_error(error: urllib.error.HTTPError) -> CliError:
    try:
        message = json.loads(error.read())["message"]
    except (ValueError, KeyError, TypeError, OSError):
        message = error.reason
    code = {401: NOT_ALLOWED, 403: NOT_ALLOWED}.get(error.code, UNREACHABLE if error.code in RETRIED else REFUSED)
    code = UNREACHABLE if error.code >= 500 and error.code != 501 else code
    return CliError(f"{message} ({error.code})", code)
