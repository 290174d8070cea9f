"""A real front door with a published page, in front of a small app or of none."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from statuspage.common.published_folder import HOSTS
from statuspage.publishing.generation_writer import Answer, Tree
from tests.live import Candor
from tests.servers import wait_until

HEADERS = {"Content-Type": "text/html; charset=utf-8"}
AWAY = "<h1>This part of the page is temporarily unavailable.</h1>"


@dataclass
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return ", ".join(value for known, value in self.headers if known == name)


@dataclass
class Door:
    candor: Candor

    @property
    def run(self) -> Path:
        return self.candor.folder / "data/private/run"

    def start(self) -> None:
        self.candor.start("web", "-m", "statuspage.frontdoor")
        wait_until(lambda: self.candor.status("/livez") == 200, "the front door answers")

    def start_app(self) -> None:
        self.candor.start("app", "-m", "tests.frontdoor.small_app", str(self.run / "app.sock"))
        wait_until(lambda: self.candor.status("/echo") == 200, "the app answers")

    def connect(self, request: bytes) -> socket.socket:
        """Send the beginning of a request, and keep the connection."""
        connection = socket.create_connection(("127.0.0.1", self.candor.port), timeout=20)
        connection.sendall(request)
        return connection

    def ask(self, request: bytes) -> Response:
        """Send a request byte by byte as it is written, and read until the connection closes."""
        with self.connect(request) as connection:
            return read_response(connection)

    def seconds_for_page(self) -> float:
        started = time.monotonic()
        assert self.candor.status("/") == 200
        return time.monotonic() - started


def read_response(connection: socket.socket) -> Response:
    received = b""
    while piece := connection.recv(65536):
        received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if lengths and len(body) >= int(lengths[0].split(b":")[1]):
            break
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    return Response(int(first.split()[1]), [(name.lower(), value) for name, value in pairs], body)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A front door and the small app."""
    folder = tmp_path_factory.mktemp("door")
    published = folder / "data/public/published"
    with Tree(published / "page").new_generation(rebuild=True) as draft:
        for path, text in {"/": "<h1>All is well</h1>", "/502.html": AWAY}.items():
            draft.put(path, Answer(text.encode(), HEADERS))
    (published / HOSTS).write_text(json.dumps({"": "page"}))
    door = Door(Candor(folder, env={"APP_THREADS": "2", "PYTHONPATH": str(Path.cwd())}))
    try:
        door.start()
        door.start_app()
        yield door
    finally:
        door.candor.stop()
