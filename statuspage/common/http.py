"""The one outbound door: every request of ours to an address that somebody else chose goes through `post` or `get`.

Resolve once, refuse unless every address is public, connect to the checked address, verify the certificate for the
name, follow no redirect, use no proxy, end by the deadline, read no more than was asked for.
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

# Seconds, all together: looking the name up, connecting, TLS, sending, and reading the answer to its end.
DEADLINE = 15.0
# Bytes of an answer that are read, its head included. More is left unread.
MAX_ANSWER = 64 * 1024
# Bytes of a document that we fetch, its head included. Of what is larger nothing is used.
MAX_DOCUMENT = 64 * 1024 * 1024
MAX_URL = 1000
# Lower ports belong to other protocols, which a request in disguise must not reach.
FIRST_FREE_PORT = 1024
PORTS = {"http": 80, "https": 443}

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?P<target>[/?].*)?",
    re.ASCII | re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)


class OutboundError(Exception):
    """There was no answer. The text is for people, and names no address that was looked up."""


class ForbiddenAddress(OutboundError):
    """It may not be asked at all: malformed, or it leads into a network that is not public. Nothing was sent."""


class Unreachable(OutboundError):
    """The name is unknown, nothing listens there, TLS failed, or what came back is no HTTP."""


class TooSlow(OutboundError):
    """The deadline passed before the answer was complete."""


class TooLarge(OutboundError):
    """The answer is longer than was allowed. It was not read to its end."""


@dataclass(frozen=True)
class Target:
    """Where a request goes. `host` in lower case, without brackets; `path` with the query, never empty."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """For the Host header: as browsers write it."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"


@dataclass(frozen=True)
class Response:
    """`headers` by their names in lower case; `body` of a POST holds no more than MAX_ANSWER bytes, perhaps cut off."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(url: str, *, body: bytes, headers: Mapping[str, str], deadline: float = DEADLINE) -> Response:
    """POST `body` to `url` and return the answer, whatever its status. OutboundError if there is none.

    `deadline`: seconds for all of it together. Redirects are answers like any other.
    """
    return _send(_Request("POST", parse(url), headers, body), _Clock(deadline), MAX_ANSWER)


def get(url: str, *, headers: Mapping[str, str], deadline: float = DEADLINE, limit: int = MAX_DOCUMENT) -> Response:
    """GET `url` and return the whole answer, whatever its status. OutboundError if there is none.

    `deadline` as for `post`. TooLarge for an answer of more than `limit` bytes: half a document is none.
    """
    return _send(_Request("GET", parse(url), headers), _Clock(deadline), limit)


@dataclass(frozen=True)
class _Request:
    """To a GET, an answer that was cut off is none."""

    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes | None = None


def _send(request: _Request, clock: _Clock, limit: int) -> Response:
    target = request.target
    addresses = _check_addresses(target, _resolve(target, clock))
    with contextlib.closing(_open_connection(target, addresses, clock)) as connection:
        return _send_and_read(_SocketAdapter(connection, clock, limit), request)


def normalize_url(url: str) -> str:
    """`url` in its usual spelling. ForbiddenAddress if it can be told without looking a name up that it is refused."""
    target = parse(url)
    literal = as_address(target.host)
    if literal and not is_allowed(literal, target.host):
        raise _forbidden(target)
    return f"{target.scheme}://{target.netloc}{target.path}"


def parse(url: str) -> Target:
    """The parts of an http or https address. ForbiddenAddress, with the reason, for all that is unusual about it."""
    if len(url) > MAX_URL:
        raise ForbiddenAddress(f"The address is longer than {MAX_URL} characters.")
    if not url.isascii():
        raise ForbiddenAddress("The address has letters outside ASCII. Write a host name as xn--…, a path with %….")
    if any(not 32 < ord(character) < 127 or character in '\\"<>^`{|}' for character in url):
        raise ForbiddenAddress("The address has a blank or another character that addresses cannot have.")
    found = _URL.fullmatch(url)
    if found is None:
        raise ForbiddenAddress(_malformed_reason(url))
    if "#" in url:
        raise ForbiddenAddress("The address has a # in it. Leave that part out: it is never sent.")
    scheme = found["scheme"].lower()
    host = _host(found["host"].lower())
    path = found["target"] or "/"
    return Target(scheme, host, _port(scheme, host, found["port"]), path if path.startswith("/") else f"/{path}")


def _malformed_reason(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in PORTS:
        return "The address must begin with https:// or http://."
    if "@" in re.split(r"[/?#]", rest)[0]:
        return "The address has a user name or password in it."
    return "This is not a whole web address. It should look like https://example.com/hook."


def _host(host: str) -> str:
    if host.startswith("["):
        if as_address(host[1:-1]) is None:
            raise ForbiddenAddress(f"{host} is not an IPv6 address.")
        return host[1:-1]
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # Dotted decimal only: 0x7f.1, 017700000001 and 2130706433 are 127.0.0.1 to many a library.
        address = as_address(host)
        if address is None:
            raise ForbiddenAddress(f"{host} is neither a host name nor a plain IP address.")
        return str(address)
    if not all(_LABEL.fullmatch(label) for label in labels) or len(host) > 253:
        raise ForbiddenAddress(f"{host} is not a host name.")
    return host


def _port(scheme: str, host: str, text: str | None) -> int:
    port = int(text) if text else PORTS[scheme]
    usual = port in PORTS.values() or FIRST_FREE_PORT <= port < 65536
    if not usual and not (is_listed(host) and 0 < port < 65536):
        raise ForbiddenAddress(f"Port {port} cannot be used: only 80, 443 and those from {FIRST_FREE_PORT} up.")
    return port


class _Clock:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends_at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, more than zero. TooSlow when there are none left."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise self.too_slow()
        return left

    def too_slow(self) -> TooSlow:
        return TooSlow(f"No complete answer within {self.seconds:g} seconds.")


def _resolve(target: Target, clock: _Clock) -> list[Address]:
    """All that the name stands for, looked up once. A literal stands for itself."""
    if literal := as_address(target.host):
        return [literal]
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()
    # In a thread of its own: the system's resolver knows no deadline, and may hang for half a minute.
    threading.Thread(target=_look_up, args=(target, results), name="lookup", daemon=True).start()
    try:
        found = results.get(timeout=clock.left)
    except queue.Empty:
        raise clock.too_slow() from None
    if isinstance(found, Exception):
        raise Unreachable(f"The host {target.host} cannot be found.") from found
    return [address for row in found if (address := as_address(str(row[4][0])))]


def _look_up(target: Target, results: queue.SimpleQueue[Any]) -> None:
    try:
        results.put(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        results.put(error)


def _check_addresses(target: Target, addresses: list[Address]) -> list[Address]:
    """One private address among public ones is enough to refuse: which of them is used is not ours to bet on."""
    if not addresses:
        raise Unreachable(f"The host {target.host} has no address.")
    if not all(is_allowed(address, target.host) for address in addresses):
        raise _forbidden(target)
    return list(dict.fromkeys(addresses))


def _forbidden(target: Target) -> ForbiddenAddress:
    return ForbiddenAddress(
        f"{target.host} is not a public address. If it is one of your own, list it in OUTBOUND_ALLOW."
    )


def _open_connection(target: Target, addresses: list[Address], clock: _Clock) -> socket.socket:
    """To the first address that takes the connection; one that is silent must not use up the time of the others."""
    refusal: OSError | None = None
    for index, address in enumerate(addresses):
        try:
            timeout = clock.left / (len(addresses) - index)
            plain = _connect(address, target.port, timeout)
        except OSError as error:
            refusal = error
        else:
            return _wrap_tls(plain, target, clock) if target.scheme == "https" else plain
    if isinstance(refusal, TimeoutError):
        raise clock.too_slow() from refusal
    raise Unreachable(f"{target.netloc} cannot be connected to: {_error_text(refusal)}") from refusal


def _connect(address: Address, port: int, timeout: float) -> socket.socket:
    connection = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect((str(address), port))
    except BaseException:
        connection.close()
        raise
    return connection


def _wrap_tls(plain: socket.socket, target: Target, clock: _Clock) -> socket.socket:
    try:
        plain.settimeout(clock.left)
        return tls_context().wrap_socket(plain, server_hostname=target.host)
    except TimeoutError:
        plain.close()
        raise clock.too_slow() from None
    except ssl.SSLCertVerificationError as error:
        plain.close()
        raise Unreachable(f"The certificate of {target.netloc} is not good: {error.verify_message}") from error
    except OSError as error:
        plain.close()
        raise Unreachable(f"No secure connection to {target.netloc}: {_error_text(error)}") from error


@cache
def tls_context() -> ssl.SSLContext:
    """The system's certificate authorities, or those of SSL_CERT_FILE; names are checked."""
    return ssl.create_default_context()


class _Incoming(io.RawIOBase):
    """An answer as it comes in, as if it ended after `limit` bytes."""

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
    """What http.client needs of a socket. Every move ends by the one deadline: with a timeout per move, a peer that
    sends a byte a second holds its client for ever."""

    def __init__(self, connection: socket.socket, clock: _Clock, limit: int) -> None:
        self.clock = clock
        self.limit = limit
        self._connection = connection
        self._message = b""
        self._incoming: _Incoming | None = None

    def sendall(self, data: bytes) -> None:
        """Kept until `flush`: head and body leave together, in as few packets as can be."""
        self._message += data

    def flush(self) -> None:
        rest = memoryview(self._message)
        # Who has heard enough may answer and hang up before we have said all.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while rest:
                self._connection.settimeout(self.clock.left)
                rest = rest[self._connection.send(rest) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        self._incoming = _Incoming(self._connection, self.clock, self.limit)
        return io.BufferedReader(self._incoming)

    @property
    def used_up(self) -> bool:
        """Whether as much came in as is read at all."""
        return self._incoming is not None and not self._incoming.left

    def close(self) -> None:
        """http.client lets go as soon as it has the head of the answer. The connection is closed by who made it."""


def _send_and_read(adapter: _SocketAdapter, request: _Request) -> Response:
    target = request.target
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = cast(socket.socket, adapter)  # connected already: http.client looks nothing up
    try:
        all_headers = {"Host": target.netloc, "User-Agent": "Candor", "Connection": "close", **request.headers}
        connection.request(request.method, target.path, request.body, all_headers)
        adapter.flush()
        reply = connection.getresponse()
        found = {name.lower(): value for name, value in reply.headers.items()}
        return Response(reply.status, found, _body(reply, adapter, whole=request.method == "GET"))
    except TimeoutError:
        raise adapter.clock.too_slow() from None
    except http.client.HTTPException as error:
        raise Unreachable(f"{target.netloc} did not answer in HTTP: {type(error).__name__}") from error
    except OSError as error:
        raise Unreachable(f"{target.netloc} closed the connection: {_error_text(error)}") from error


def _body(reply: http.client.HTTPResponse, adapter: _SocketAdapter, *, whole: bool) -> bytes:
    try:
        body, is_whole = reply.read(adapter.limit), True
    except http.client.IncompleteRead as error:
        body, is_whole = error.partial, False
    # Asked for so many bytes, http.client does not complain of fewer.
    is_whole = is_whole and not reply.length
    if whole and adapter.used_up:
        raise TooLarge(f"The answer is longer than {adapter.limit:,} bytes.")
    if whole and not is_whole:
        raise Unreachable(f"The answer ended after {len(body):,} bytes, before it was complete.")
    return body


def _error_text(error: OSError | None) -> str:
    return (error.strerror or type(error).__name__) if error else "nothing there"
