"""Things that listen on loopback: an endpoint that answers as it is told, and listeners that must hear nothing."""

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
class Heard:
    """One request as it came in; header names in lower case."""

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
    """An HTTP server that keeps what it hears. `reply` answers, or `replies` by path, or what `judge` makes of it."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.reply = Reply()
        self.replies: dict[str, Reply] = {}
        self.judge: Callable[[Heard], Reply] | None = None
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

    def at(self, path: str) -> list[Heard]:
        return [one for one in list(self.heard) if one.path == path]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, heard: Heard) -> Reply:
        with self._lock:
            self.heard.append(heard)
            self.at_once[heard.path] = self.at_once.get(heard.path, 0) + 1
            self.most_at_once[heard.path] = max(self.most_at_once.get(heard.path, 0), self.at_once[heard.path])
        reply = self.judge(heard) if self.judge else self.replies.get(heard.path, self.reply)
        self._closing.wait(reply.after)
        with self._lock:
            self.at_once[heard.path] -= 1
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = receiver.answer(Heard(self.path, headers, body, time.monotonic()))
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


def saying(data: bytes) -> Talk:
    """Hear one message out, and answer."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)

    return talk


class Listener:
    """Takes connections on 127.0.0.1 and ::1 at one port, counts them, and does with each what `talk` says."""

    def __init__(self, talk: Talk | None = None, *, hosts: tuple[str, ...] = ()) -> None:
        self.connections = 0
        self._talk = talk
        self._sockets = self._listening(hosts or ("127.0.0.1", "::1"))
        self.port: int = self._sockets[0].getsockname()[1]
        for one in self._sockets:
            threading.Thread(target=self._run, args=(one,), daemon=True).start()

    def close(self) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    @staticmethod
    def _listening(hosts: tuple[str, ...]) -> list[socket.socket]:
        first = socket.create_server((hosts[0], 0), family=_family(hosts[0]))
        port = first.getsockname()[1]
        others = [socket.create_server((h, port), family=_family(h)) for h in hosts[1:]]
        return [first, *others]

    def _run(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
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
def listening(talk: Talk | None = None, *, hosts: tuple[str, ...] = ()) -> Iterator[Listener]:
    listener = Listener(talk, hosts=hosts)
    yield listener
    listener.close()
