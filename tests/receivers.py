"""Test servers on loopback: an endpoint with configurable responses, and listeners that count connections."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class ReceivedRequest:
    """One received request; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0


class Receiver:
    """An HTTP server that records requests. It responds with `responder`, else `replies` by path, else `reply`."""

    def __init__(self) -> None:
        self.requests: list[ReceivedRequest] = []
        self.reply = Reply()
        self.replies: dict[str, Reply] = {}
        self.responder: Callable[[ReceivedRequest], Reply] | None = None
        self.at_once: dict[str, int] = {}
        self.most_at_once: dict[str, int] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[ReceivedRequest]:
        return [request for request in list(self.requests) if request.path == path]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: ReceivedRequest) -> Reply:
        with self._lock:
            self.requests.append(request)
            self.at_once[request.path] = self.at_once.get(request.path, 0) + 1
            self.most_at_once[request.path] = max(self.most_at_once.get(request.path, 0), self.at_once[request.path])
        reply = self.responder(request) if self.responder else self.replies.get(request.path, self.reply)
        self._closing.wait(reply.after)
        with self._lock:
            self.at_once[request.path] -= 1
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = receiver.answer(ReceivedRequest(self.path, headers, body, time.monotonic()))
                with contextlib.suppress(OSError):
                    self.send_response(reply.status)
                    for name, value in ({"Content-Length": str(len(reply.body))} | reply.headers).items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(reply.body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256


Talk = Callable[[socket.socket], None]


def responding_with(data: bytes) -> Talk:
    """Read one request and respond."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)

    return talk


class Listener:
    """Accepts and counts connections on one port of 127.0.0.1 and ::1, and calls `talk` for each."""

    def __init__(self, talk: Talk | None = None, *, hosts: tuple[str, ...] = ()) -> None:
        self.connections = 0
        self._talk = talk
        self._sockets = self._listening(hosts or ("127.0.0.1", "::1"))
        self.port: int = self._sockets[0].getsockname()[1]
        for listener in self._sockets:
            threading.Thread(target=self._run, args=(listener,), daemon=True).start()

    def close(self) -> None:
        for listener in self._sockets:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    @staticmethod
    def _listening(hosts: tuple[str, ...]) -> list[socket.socket]:
        first = socket.create_server((hosts[0], 0), family=_family(hosts[0]))
        port = first.getsockname()[1]
        others = [socket.create_server((h, port), family=_family(h)) for h in hosts[1:]]
        return [first, *others]

    def _run(self, listening_peer: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening_peer.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            if self._talk:
                self._talk(connection)


def _family(host: str) -> int:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextlib.contextmanager
def listening_peer(talk: Talk | None = None, *, hosts: tuple[str, ...] = ()) -> Iterator[Listener]:
    listener = Listener(talk, hosts=hosts)
    yield listener
    listener.close()
