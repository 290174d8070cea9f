"""A small WSGI app in the place of Django: `python -m tests.frontdoor.small_app SOCKET` serves it with two threads."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels

from statuspage.common.sockets import SocketServer, listen_unix

THREADS = 2
PIECE, PIECES = 64 * 1024, 400


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/slow":
        time.sleep(0.5)
    if path == "/export":
        start_response("200 OK", [("Content-Type", "text/csv")])
        return export()
    body = environ["wsgi.input"].read()
    seen = {name: value for name, value in environ.items() if name.isupper() and isinstance(value, str)}
    start_response("200 OK", [("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [json.dumps({**seen, "bytes": len(body), "scheme": environ["wsgi.url_scheme"]}).encode()]


def export() -> Iterator[bytes]:
    for _ in range(PIECES):
        yield b"x" * PIECE


if __name__ == "__main__":
    SocketServer(
        "tests.frontdoor.small_app:application",
        listen_unix(Path(sys.argv[1])),
        interface=Interfaces.WSGI,
        websockets=False,
        blocking_threads=THREADS,
        log_level=LogLevels.warning,
    ).serve()
