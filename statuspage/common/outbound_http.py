"""Outbound HTTP requests. Every request to a URL that a user entered goes through `post` or `get`.

The host name is resolved once, the request is refused unless all addresses are public, and the connection uses a
checked address. Certificates are verified, redirects are not followed, no proxy is used, and the deadline and the
maximum size of the response are enforced.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from statuspage.common.ip_rules import Address, as_address, is_allowed, is_listed

# Seconds in total: name resolution, connecting, TLS, sending, and reading the response.
DEADLINE = 15.0
# Maximum bytes of a response that are read, including its headers. The rest is ignored.
MAX_RESPONSE = 64 * 1024
# Maximum bytes of a downloaded document, including its headers. Larger documents are rejected.
MAX_DOCUMENT = 64 * 1024 * 1024
MAX_URL = 1000
# Lower ports belong to other protocols, which a forged request must not reach.
FIRST_FREE_PORT = 1024
PORTS = {"http": 80, "https": 443}

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?P<target>[/?].*)?",
    re.ASCII | re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)


class OutboundError(Exception):
    """There was no response. The message is for users and contains no resolved address."""


class ForbiddenAddress(OutboundError):
    """The URL is invalid, or its address is not public. Nothing was sent."""


class Unreachable(OutboundError):
    """Name resolution, the connection or TLS failed, or the response is not HTTP."""


class TooSlow(OutboundError):
    """The deadline passed before the response was complete."""


class TooLarge(OutboundError):
    """The response is larger than allowed."""


@dataclass(frozen=True)
class OutboundTarget:
    """The target of a request. `host`: lower case, without brackets. `path`: with the query, never empty."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """The value of the Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"


@dataclass(frozen=True)
class Response:
    """`headers`: names in lower case. `body`: that of a POST is truncated to MAX_RESPONSE bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(url: str, *, body: bytes, headers: Mapping[str, str], deadline: float = DEADLINE) -> Response:
    """POST `body` to `url` and return the response, whatever its status. OutboundError if there is none.

    `deadline`: seconds in total. Redirects are returned like any other response.
    """
    return _send(_Request("POST", parse(url), headers, body), _Clock(deadline), MAX_RESPONSE)


def get(url: str, *, headers: Mapping[str, str], deadline: float = DEADLINE, limit: int = MAX_DOCUMENT) -> Response:
    """GET `url` and return the complete response, whatever its status. OutboundError if there is none.

    `deadline`: see `post`. TooLarge if the response has more than `limit` bytes.
    """
    return _send(_Request("GET", parse(url), headers), _Clock(deadline), limit)


@dataclass(frozen=True)
class _Request:
    """One request. The response to a GET must be complete."""

    method: str
    target: OutboundTarget
    headers: Mapping[str, str]
    body: bytes | None = None


def _send(request: _Request, clock: _Clock, limit: int) -> Response:
    target = request.target
    addresses = _check_addresses(target, _resolve(target, clock))
    with contextlib.closing(_open_connection(target, addresses, clock)) as connection:
        return _send_and_read(_SocketAdapter(connection, clock, limit), request)


def normalize_url(url: str) -> str:
    """Return `url` in normalized form. ForbiddenAddress if it is refused without resolving a name."""
    target = parse(url)
    literal = as_address(target.host)
    if literal and not is_allowed(literal, target.host):
        raise _forbidden(target)
    return f"{target.scheme}://{target.netloc}{target.path}"


def parse(url: str) -> OutboundTarget:
    """Split an http or https URL. ForbiddenAddress with the reason for anything unusual."""
    if len(url) > MAX_URL:
        raise ForbiddenAddress(f"The URL is longer than {MAX_URL:,} characters.")
    if not url.isascii():
        raise ForbiddenAddress("The URL contains non-ASCII characters. Write host names as xn--… and paths with %…")
    if any(not 32 < ord(character) < 127 or character in '\\"<>^`{|}' for character in url):
        raise ForbiddenAddress("The URL contains a space or another invalid character.")
    match = _URL.fullmatch(url)
    if match is None:
        raise ForbiddenAddress(_malformed_reason(url))
    if "#" in url:
        raise ForbiddenAddress("Remove the part of the URL from # on: it is never sent.")
    scheme = match["scheme"].lower()
    host = _host(match["host"].lower())
    path = match["target"] or "/"
    return OutboundTarget(
        scheme, host, _port(scheme, host, match["port"]), path if path.startswith("/") else f"/{path}"
    )


def _malformed_reason(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in PORTS:
        return "The URL must start with https:// or http://."
    if "@" in re.split(r"[/?#]", rest)[0]:
        return "The URL must not contain a user name or password."
    return "Enter a complete URL. Example: https://example.com/hook"


def _host(host: str) -> str:
    if host.startswith("["):
        if as_address(host[1:-1]) is None:
            raise ForbiddenAddress(f"{host} is not an IPv6 address.")
        return host[1:-1]
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # Dotted decimal only: many libraries read 0x7f.1, 017700000001 and 2130706433 as 127.0.0.1.
        address = as_address(host)
        if address is None:
            raise ForbiddenAddress(f"{host} is neither a host name nor an IP address in standard notation.")
        return str(address)
    if not all(_LABEL.fullmatch(label) for label in labels) or len(host) > 253:
        raise ForbiddenAddress(f"{host} is not a valid host name.")
    return host


def _port(scheme: str, host: str, text: str | None) -> int:
    port = int(text) if text else PORTS[scheme]
    is_allowed_port = port in PORTS.values() or FIRST_FREE_PORT <= port < 65536
    if not is_allowed_port and not (is_listed(host) and 0 < port < 65536):
        raise ForbiddenAddress(f"Port {port} is not allowed. Use 80, 443 or a port from {FIRST_FREE_PORT:,}.")
    return port


class _Clock:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends_at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The remaining seconds, more than zero. TooSlow if none are left."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise self.too_slow()
        return left

    def too_slow(self) -> TooSlow:
        return TooSlow(f"No complete response within {self.seconds:g} seconds.")


def _resolve(target: OutboundTarget, clock: _Clock) -> list[Address]:
    """Resolve the host name once. An IP address needs no resolution."""
    if literal := as_address(target.host):
        return [literal]
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()
    # In a thread, because the resolver of the system has no deadline and may block for half a minute.
    threading.Thread(target=_resolve_in_thread, args=(target, results), name="resolve", daemon=True).start()
    try:
        result = results.get(timeout=clock.left)
    except queue.Empty:
        raise clock.too_slow() from None
    if isinstance(result, Exception):
        raise Unreachable(f"The host {target.host} could not be resolved.") from result
    return [address for row in result if (address := as_address(str(row[4][0])))]


def _resolve_in_thread(target: OutboundTarget, results: queue.SimpleQueue[Any]) -> None:
    try:
        results.put(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        results.put(error)


def _check_addresses(target: OutboundTarget, addresses: list[Address]) -> list[Address]:
    """Refuse the host if any of its addresses is private, because any of them could be used."""
    if not addresses:
        raise Unreachable(f"The host {target.host} has no IP address.")
    if not all(is_allowed(address, target.host) for address in addresses):
        raise _forbidden(target)
    return list(dict.fromkeys(addresses))


def _forbidden(target: OutboundTarget) -> ForbiddenAddress:
    return ForbiddenAddress(f"{target.host} is not a public address. If it belongs to you, add it to OUTBOUND_ALLOW.")


def _open_connection(target: OutboundTarget, addresses: list[Address], clock: _Clock) -> socket.socket:
    """Connect to the first address that accepts. The remaining time is shared between the addresses."""
    last_error: OSError | None = None
    for index, address in enumerate(addresses):
        try:
            timeout = clock.left / (len(addresses) - index)
            plain = _connect(address, target.port, timeout)
        except OSError as error:
            last_error = error
        else:
            return _wrap_tls(plain, target, clock) if target.scheme == "https" else plain
    if isinstance(last_error, TimeoutError):
        raise clock.too_slow() from last_error
    raise Unreachable(f"{target.netloc} could not be reached: {_error_text(last_error)}") from last_error


def _connect(address: Address, port: int, timeout: float) -> socket.socket:
    connection = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect((str(address), port))
    except BaseException:
        connection.close()
        raise
    return connection


def _wrap_tls(plain: socket.socket, target: OutboundTarget, clock: _Clock) -> socket.socket:
    try:
        plain.settimeout(clock.left)
        return tls_context().wrap_socket(plain, server_hostname=target.host)
    except TimeoutError:
        plain.close()
        raise clock.too_slow() from None
    except ssl.SSLCertVerificationError as error:
        plain.close()
        raise Unreachable(f"The certificate of {target.netloc} is invalid: {error.verify_message}") from error
    except OSError as error:
        plain.close()
        raise Unreachable(f"The TLS connection to {target.netloc} failed: {_error_text(error)}") from error


@cache
def tls_context() -> ssl.SSLContext:
    """Return a context with the certificate authorities of the system or of SSL_CERT_FILE. Host names are verified."""
    return ssl.create_default_context()


class _Incoming(io.RawIOBase):
    """The incoming response, truncated after `limit` bytes."""

    def __init__(self, connection: socket.socket, clock: _Clock, limit: int) -> None:
        self._connection = connection
        self._clock = clock
        self.left = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.left:
            return 0
        self._connection.settimeout(self._clock.left)
        count = self._connection.recv_into(memoryview(buffer)[: self.left])
        self.left -= count
        return count


class _SocketAdapter:
    """The socket interface that http.client uses, with one deadline for all operations.

    With a timeout per operation, a server that sends one byte per second could block its client forever.
    """

    def __init__(self, connection: socket.socket, clock: _Clock, limit: int) -> None:
        self.clock = clock
        self.limit = limit
        self._connection = connection
        self._message = b""
        self._incoming: _Incoming | None = None

    def sendall(self, data: bytes) -> None:
        """Buffer the data until `flush`, so that headers and body are sent in as few packets as possible."""
        self._message += data

    def flush(self) -> None:
        remaining = memoryview(self._message)
        # A server may respond and close the connection before it received the whole request.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while remaining:
                self._connection.settimeout(self.clock.left)
                remaining = remaining[self._connection.send(remaining) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        self._incoming = _Incoming(self._connection, self.clock, self.limit)
        return io.BufferedReader(self._incoming)

    @property
    def used_up(self) -> bool:
        """Whether the limit was reached."""
        return self._incoming is not None and not self._incoming.left

    def close(self) -> None:
        """Do nothing: http.client closes it after the headers, but the body is still to be read."""


def _send_and_read(adapter: _SocketAdapter, request: _Request) -> Response:
    target = request.target
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = cast(socket.socket, adapter)  # already connected: http.client resolves nothing
    try:
        all_headers = {"Host": target.netloc, "User-Agent": "Candor", "Connection": "close", **request.headers}
        connection.request(request.method, target.path, request.body, all_headers)
        adapter.flush()
        reply = connection.getresponse()
        response_headers = {name.lower(): value for name, value in reply.headers.items()}
        return Response(reply.status, response_headers, _body(reply, adapter, whole=request.method == "GET"))
    except TimeoutError:
        raise adapter.clock.too_slow() from None
    except http.client.HTTPException as error:
        raise Unreachable(f"{target.netloc} did not respond in HTTP: {type(error).__name__}") from error
    except OSError as error:
        raise Unreachable(f"{target.netloc} closed the connection: {_error_text(error)}") from error


def _body(reply: http.client.HTTPResponse, adapter: _SocketAdapter, *, whole: bool) -> bytes:
    try:
        body, is_whole = reply.read(adapter.limit), True
    except http.client.IncompleteRead as error:
        body, is_whole = error.partial, False
    # http.client raises no error if fewer bytes arrive than announced.
    is_whole = is_whole and not reply.length
    if whole and adapter.used_up:
        raise TooLarge(f"The response is larger than {adapter.limit:,} bytes.")
    if whole and not is_whole:
        raise Unreachable(f"The response ended after {len(body):,} bytes, before it was complete.")
    return body


def _error_text(error: OSError | None) -> str:
    return (error.strerror or type(error).__name__) if error else "no address"
