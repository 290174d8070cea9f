"""The command line's way to the server. Nothing of Django or of the rest of Candor is loaded: it may run anywhere."""

import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

TIMEOUT = 30
ATTEMPTS = 3
LONGEST_WAIT = 30
PASSING = (429, 502, 503, 504)

# Exit codes.
REFUSED, USAGE, NOT_ALLOWED, UNREACHABLE, NOT_WELL = 1, 2, 3, 4, 10


class Trouble(Exception):
    """What went wrong in plain words, and the exit code that says so to scripts."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Server:
    """`url` as visitors type it. A request that writes carries a key of its own, so that repeating it is safe."""

    url: str
    token: str
    page: str = ""

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).netloc:
            raise Trouble("CANDOR_URL must be the address of a Candor, like https://status.example.com.", USAGE)
        if not self.token:
            raise Trouble("CANDOR_TOKEN is not set. An owner makes tokens in the console.", USAGE)

    def of_page(self, method: str, path: str, body: Any = None, **query: object) -> Any:
        """`path` below the token's page."""
        self.page = self.page or self.ask("GET", "/pages")[0]["id"]
        return self.ask(method, f"/pages/{quote(self.page)}{path}", body, **query)

    def ask(self, method: str, path: str, body: Any = None, **query: object) -> Any:
        """The answer's JSON. Trouble for everything that is no success."""
        address = f"{self.url.rstrip('/')}/v1{path}{'?' + urlencode(query) if query else ''}"
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "User-Agent": "candor"}
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310 - http or https, see above
        return self._sent(request)

    def _sent(self, request: urllib.request.Request) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                    text = answer.read()
                return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                if error.code not in PASSING or attempt == ATTEMPTS:
                    raise _refusal(error) from None
                wait = _seconds(error.headers.get("Retry-After", ""), attempt)
                error.close()
            except (OSError, ValueError) as error:
                if attempt == ATTEMPTS or isinstance(error, ValueError):
                    raise Trouble(f"{self.url} cannot be used: {_words(error)}", UNREACHABLE) from None
                wait = attempt
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")


def _seconds(said: str, attempt: int) -> int:
    return min(int(said) if said.isdecimal() else attempt, LONGEST_WAIT)


def _words(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason) or type(error).__name__


def _refusal(error: urllib.error.HTTPError) -> Trouble:
    try:
        said = json.loads(error.read())["message"]
    except (ValueError, KeyError, TypeError, OSError):
        said = error.reason
    code = {401: NOT_ALLOWED, 403: NOT_ALLOWED}.get(error.code, UNREACHABLE if error.code in PASSING else REFUSED)
    code = UNREACHABLE if error.code >= 500 and error.code != 501 else code
    return Trouble(f"{said} ({error.code})", code)
