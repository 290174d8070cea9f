"""Forwards requests to the app over its Unix socket, a few at a time."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from statuspage.common.app_headers import CLIENT_HEADER, OWN_PREFIX, SCHEME_HEADER
from statuspage.common.networks import client_address_of, network_of
from statuspage.common.sockets import short_name
from statuspage.frontdoor.bodies import Body
from statuspage.frontdoor.replies import Refusal

Scope = MutableMapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Headers of one connection, not of the request (RFC 9110 section 7.6.1).
HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"),
    *("transfer-encoding", "upgrade", "expect"),
}
REPLACED = HOP_BY_HOP | {"content-length"}
# A response up to this size is read whole, so that a slow client does not occupy a thread of the app.
READ_WHOLE = 256 * 1024
# Requests that wait for the app, in total and of one client's network, and for how many seconds.
WAITING, WAITING_OF_ONE, WAIT_SECONDS = 256, 64, 10.0
# Seconds until the app must respond.
APP_SECONDS = 60.0
RETRY_SECONDS = 10
SIGNED_IN = re.compile(rb"\bsession")


class Queue:
    """Admits `places` requests at the same time. WAITING more wait for up to WAIT_SECONDS.

    The networks of clients take turns, and only WAITING_OF_ONE requests of one network wait, so that one client keeps
    no other out.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        # Those who wait, by network. The first network is the next.
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def place(self, network: str) -> AsyncIterator[None]:
        """Wait for a place. Raises Refusal."""
        if self._free:
            self._free -= 1
        else:
            await self._turn(network)
        try:
            yield
        finally:
            self._pass_on()

    async def _turn(self, network: str) -> None:
        turns = self._waiting.get(network, deque())
        if len(turns) >= WAITING_OF_ONE or sum(map(len, self._waiting.values())) >= WAITING:
            raise _busy()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turns.append(turn)
        self._waiting[network] = turns
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await turn
        except BaseException as error:
            if not turn.cancelled():
                self._pass_on()  # the turn came at the same moment
            if isinstance(error, TimeoutError):
                raise _busy() from None
            raise
        finally:
            self._remove(network, turn)

    def _remove(self, network: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(network, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[network]

    def _pass_on(self) -> None:
        """Give a place to the next who waits."""
        while self._waiting:
            network, turns = next(iter(self._waiting.items()))
            turn = turns.popleft()
            if turns:
                self._waiting.move_to_end(network)
            else:
                del self._waiting[network]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class App:
    """The app behind `socket`, which handles `threads` requests at the same time.

    Visitors without a session leave one thread to staff and API clients, however many they are.
    """

    def __init__(self, socket: Path, threads: int, trusted_proxies: int) -> None:
        self.socket = socket
        self._trusted_proxies = trusted_proxies
        self._visitors = Queue(max(1, threads - 1))
        self._staff = Queue(threads)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def place_for(self, scope: Scope) -> AbstractAsyncContextManager[None]:
        """Wait for a place in the queue for the request. Raises Refusal."""
        peer, _ = scope.get("client") or ("", 0)
        forwarded_for = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        address = client_address_of(peer, forwarded_for.decode("latin-1"), self._trusted_proxies)
        return self._queue_for(scope["headers"]).place(network_of(address))

    def _queue_for(self, headers: Iterable[tuple[bytes, bytes]]) -> Queue:
        for name, value in headers:
            if name == b"authorization" or (name == b"cookie" and SIGNED_IN.search(value)):
                return self._staff
        return self._visitors

    @asynccontextmanager
    async def respond(self, scope: Scope, body: Body) -> AsyncIterator[aiohttp.ClientResponse]:
        """Forward the request and yield the response. Raises Refusal if the app does not respond."""
        data = body.file if body.file is not None else body.content or None
        if body.file is not None:
            body.file.seek(0)
        try:
            async with self._client().request(
                scope["method"],
                target_url(scope),
                headers=forwarded_headers(scope, body.size),
                data=data,
                allow_redirects=False,
            ) as response:
                yield response
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Refusal(503, "The application does not respond.", retry_after=RETRY_SECONDS, is_fault=True) from error

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A new connection for each request: one that waits could belong to an app that is being replaced.
            connector = aiohttp.UnixConnector(short_name(self.socket), limit=0, force_close=True)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=APP_SECONDS),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                requote_redirect_url=False,
            )
        return self._session


def target_url(scope: Scope) -> URL:
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope["query_string"]
    path = quote(raw.split(b"?", 1)[0], safe="/%:@!$&'()*+,;=-._~")
    if not path.startswith("/"):
        raise Refusal(400, "The path is not valid.")
    target = path + ("?" + quote(query, safe="/%:@!$&'()*+,;=-._~?[]") if query else "")
    return URL("http://app" + target, encoded=True)


def forwarded_headers(scope: Scope, length: int) -> dict[str, str]:
    """Return the headers for the app: repeated ones joined, none that a client could use to forge others.

    WSGI does not tell `X_Forwarded_For` from `X-Forwarded-For`, so names with an underscore are left out. Headers that
    `Connection` names are kept: otherwise a client could remove what a proxy has added.
    """
    joined: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in name or name in REPLACED or name.startswith(OWN_PREFIX):
            continue
        separator = "; " if name == "cookie" else ", "
        joined[name] = joined[name] + separator + value if name in joined else value
    if length or scope["method"] in ("POST", "PUT", "PATCH"):
        joined["content-length"] = str(length)
    client = scope.get("client") or ("", 0)
    joined[CLIENT_HEADER], joined[SCHEME_HEADER] = client[0], scope.get("scheme", "http")
    return joined


class Interrupted(Exception):
    """The app ended in the middle of a response that has begun. Whoever gets it must see that it is not complete."""


async def pass_on(response: aiohttp.ClientResponse, send: Send) -> bytes | None:
    """Send a large response on while it arrives. Raises Interrupted.

    A smaller one is returned, to be sent after the app is free again.
    """
    content, whole = bytearray(), False
    while len(content) <= READ_WHOLE:
        piece = await response.content.readany()
        if not piece:
            whole = True
            break
        content += piece
    if whole:
        return bytes(content)
    await send(start_of(response))
    await send({"type": "http.response.body", "body": bytes(content), "more_body": True})
    del content
    try:
        async for piece in response.content.iter_any():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Interrupted from error
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    return None


def start_of(response: aiohttp.ClientResponse) -> dict[str, Any]:
    received = [(name.lower(), value) for name, value in response.raw_headers]
    headers = [(name, value) for name, value in received if name.decode("latin-1") not in HOP_BY_HOP]
    return {"type": "http.response.start", "status": response.status, "headers": headers}


def _busy() -> Refusal:
    return Refusal(503, "Too many requests at the same time. Try again in a few seconds.", retry_after=RETRY_SECONDS)
