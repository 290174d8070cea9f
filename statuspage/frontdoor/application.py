"""The ASGI application of the front door."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from statuspage.common.sockets import say_ready
from statuspage.frontdoor.bodies import Body, BodyReader, Receive
from statuspage.frontdoor.codings import best_coding
from statuspage.frontdoor.config import Config, read_config
from statuspage.frontdoor.forwarding import App, Scope, Send, pass_on, start_of
from statuspage.frontdoor.published_pages import VALID_HOST, Generation, PublishedPages
from statuspage.frontdoor.replies import SECURITY, Headers, Refusal, Reply, is_for_programs
from statuspage.frontdoor.request_counts import WRITE_EVERY, CountsFile, RequestCounts
from statuspage.frontdoor.slow_readers import LOOK_EVERY as LOOK_FOR_SLOW_EVERY
from statuspage.frontdoor.slow_readers import SlowReaders, open_files
from statuspage.frontdoor.static_files import PREFIX, StaticFiles

LOOK_EVERY = 1.0
# Seconds until a file must be read. Then the app may answer, if it can.
DISK_SECONDS = 5.0
AWAY = "/502.html"
OF_PUBLISHED = (b"cache-control", b"etag", b"last-modified")


class Exchange:
    """One forwarded request. `is_in_app`: the app has it and has not responded yet."""

    def __init__(self, scope: Scope, body: Body, send: Send) -> None:
        self.scope = scope
        self.body = body
        self.send = send
        self.is_in_app = False
        self.is_abandoned = False

    async def run(self, app: App, counts: RequestCounts) -> None:
        """Forward the request and send the response. Raises Refusal."""
        async with app.place_for(self.scope):
            self.is_in_app = True
            async with app.respond(self.scope, self.body) as response:
                self.is_in_app = False
                counts.forwarded += 1
                if self.is_abandoned:
                    return
                start = start_of(response)
                content = await pass_on(response, self.send)
        if content is not None:
            await _respond(self.send, start["status"], start["headers"], content)


class FrontDoor:
    """Answers published paths and static files from memory. Forwards all other requests to the app."""

    def __init__(self, config: Config) -> None:
        self.pages = PublishedPages(config.published_dir)
        self.static = StaticFiles(config.static_dir)
        self.app = App(config.socket, config.app_threads, config.trusted_proxies)
        self.bodies = BodyReader(config)
        self.counts = RequestCounts()
        self.counts_file = CountsFile(config.run_dir)
        self.slow_readers = SlowReaders()
        self.disk = ThreadPoolExecutor(2, thread_name_prefix="disk")
        self._abandoned: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        method: str = scope["method"]
        if (method == "GET" or method == "HEAD") and not scope["query_string"]:
            headers = dict(scope["headers"])
            page = self.pages.page_of(headers.get(b"host", b""))
            if page is not None:
                reply = page.cache.get(scope["path"], best_coding(headers.get(b"accept-encoding", b"")))
                if reply is not None:
                    self.counts.published += 1
                    await _send_reply(reply, headers, method, send)
                    return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is not in memory."""
        try:
            _check_host(scope["headers"])
            if scope["method"] in ("GET", "HEAD") and await self._answer_itself(scope, send):
                return
            await self._forward(scope, receive, send)
        except Refusal as refusal:
            await self._refuse(refusal, scope, send)

    async def _answer_itself(self, scope: Scope, send: Send) -> bool:
        """Answer /livez, a static file, or a published path that is not in memory yet."""
        path: str = scope["path"]
        headers = dict(scope["headers"])
        if path == "/livez":
            ok = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"2"), *SECURITY]
            await _respond(send, 200, ok, b"ok" if scope["method"] == "GET" else b"")
            return True
        place: StaticFiles | Generation | None
        if path.startswith(PREFIX):
            place = self.static
        else:
            place = None if scope["query_string"] else self.pages.page_of(headers.get(b"host", b""))
        if place is None or not place.contains(path):
            return False
        coding = best_coding(headers.get(b"accept-encoding", b""))
        reply = place.cache.get(path, coding) or await self._read(place, path, coding)
        if reply is None:
            return False
        self.counts.published += 1
        await _send_reply(reply, headers, scope["method"], send)
        return True

    async def _read(self, place: StaticFiles | Generation, path: str, coding: str) -> Reply | None:
        """Read a file in a thread. None if it cannot be read: its folder was replaced since the last look."""
        try:
            async with asyncio.timeout(DISK_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self.disk, place.read, path, coding)
        except (OSError, TimeoutError):
            return None

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request whose body is complete. If the client disconnects, end what can be ended."""
        exchange = Exchange(scope, await self.bodies.read(scope["path"], scope["headers"], receive), send)
        task = asyncio.ensure_future(exchange.run(self.app, self.counts))
        task.add_done_callback(lambda _: self.bodies.close(exchange.body))
        gone = asyncio.ensure_future(_disconnected(receive))
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if task.done():
            task.result()
        elif exchange.is_in_app:
            # The app cannot stop a view. The place stays taken until it is done.
            exchange.is_abandoned = True
            self._abandoned.add(task)
            task.add_done_callback(self._forget)
        else:
            task.cancel()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()  # nobody is interested any more

    async def _refuse(self, refusal: Refusal, scope: Scope, send: Send) -> None:
        if refusal.is_fault:
            self.counts.errors += 1
        else:
            self.counts.refused += 1
        headers, body = refusal.reply(scope["path"])
        if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE and (away := await self._away_page(scope)):
            headers = [pair for pair in away.headers if pair[0] not in OF_PUBLISHED]
            headers, body = [*headers, (b"cache-control", b"no-store"), *refusal.extra_headers], away.body
        await _respond(send, refusal.status, headers, body if scope["method"] != "HEAD" else b"")

    async def _away_page(self, scope: Scope) -> Reply | None:
        """Return the published page for when the app is away, unless programs request this path."""
        page = self.pages.page_of(dict(scope["headers"]).get(b"host", b""))
        if page is None or is_for_programs(scope["path"]) or not page.contains(AWAY):
            return None
        return page.cache.get(AWAY, "identity") or await self._read(page, AWAY, "identity")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self.look()
        with contextlib.suppress(OSError):
            self.counts_file.remove_left_behind()
        tasks = (self._keep_looking(), self._keep_counting(), self._keep_ending_slow_readers())
        watching = [asyncio.ensure_future(task) for task in tasks]
        await send({"type": "lifespan.startup.complete"})
        say_ready()
        await receive()
        for task in watching:
            task.cancel()
        await self.close()
        self.counts_file.remove()
        await send({"type": "lifespan.shutdown.complete"})

    async def close(self) -> None:
        await self.app.close()
        self.disk.shutdown(wait=False, cancel_futures=True)

    def look(self) -> None:
        """Load new generations of the pages, and the list of static files."""
        self.pages.look()
        self.static.look()

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await asyncio.get_running_loop().run_in_executor(self.disk, self.look)

    async def _keep_counting(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                await asyncio.get_running_loop().run_in_executor(self.disk, self.counts_file.write, self.counts)
            await asyncio.sleep(WRITE_EVERY)

    async def _keep_ending_slow_readers(self) -> None:
        while True:
            await asyncio.sleep(LOOK_FOR_SLOW_EVERY)
            await asyncio.get_running_loop().run_in_executor(self.disk, self._end_slow_readers)

    def _end_slow_readers(self) -> None:
        self.slow_readers.look(open_files(), time.monotonic())


async def _send_reply(reply: Reply, headers: dict[bytes, bytes], method: str, send: Send) -> None:
    if reply.etag in headers.get(b"if-none-match", b""):
        await _respond(send, 304, reply.headers_304, b"")
    else:
        await _respond(send, 200, reply.headers, reply.body if method == "GET" else b"")


async def _respond(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _check_host(headers: Iterable[tuple[bytes, bytes]]) -> None:
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (hosts and not VALID_HOST.fullmatch(hosts[0])):
        raise Refusal(400, "The Host header is not valid.")


def make_application() -> FrontDoor:
    return FrontDoor(read_config())
