"""The published page under attack: share answered, p99 and memory.

    python -m tests.bench.siege [--seconds 10] [--rate 500] [--only NAME]

Starts front door and app on a published page (SQLite, then PostgreSQL for its row lock and its loss), and a process
that requests `/` at a fixed rate over kept connections. First quietly, then during each attack. Goals: 100 % answered,
p99 at most 3 times the quiet one, the front door's memory grows by at most 30 MB.
"""

import argparse
import contextlib
import http.client
import json
import os
import re
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from statuspage.frontdoor.slow_readers import LOOK_EVERY, PATIENCE_IF_CROWDED
from tests.faults.load import Load
from tests.live import Candor
from tests.publishing.webserver import start_web
from tests.servers import Postgres

HEAD = "{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
SUBSCRIBE = b"email=ada%40example.com"
DJANGO = b"GET /?x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
# Seconds until the front door has disconnected clients that do not read.
CUT_AFTER = PATIENCE_IF_CROWDED + 2 * LOOK_EVERY
COLUMNS = (
    "| Attack | Requests/s | Answered | p99 ms | of quiet | Memory, MB |\n| --- | ---: | ---: | ---: | ---: | ---: |"
)


@dataclass
class Site:
    candor: Candor
    rate: int
    seconds: float
    postgres: Postgres | None = None

    def memory(self) -> float:
        """MiB of the front door's workers."""
        parent = self.candor.processes["web"].pid
        pids = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
        status = "".join(Path(f"/proc/{pid}/status").read_text(encoding="utf-8") for pid in pids)
        return sum(int(number) for number in re.findall(r"VmRSS:\s+(\d+)", status)) / 1024

    def load(self) -> tuple[float, float, float]:
        """Share answered, p99 in ms, and requests per second, as a process of its own measures them."""
        command = [sys.executable, "-m", "tests.bench.siege", "--load", str(self.candor.port)]
        command += ["--rate", str(self.rate), "--seconds", str(self.seconds)]
        share, p99, per_second = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        return share, p99, per_second

    def connect(self, request: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.candor.port), timeout=10)
        connection.sendall(request)
        return connection

    def post(self, path: str, length: int, cookie: str = "") -> bytes:
        head = HEAD.format(method="POST", path=path) + f"Content-Length: {length}\r\nCookie: {cookie}\r\n\r\n"
        return head.encode()

    def wrong_sign_in(self) -> bytes:
        """A sign-in with the token of the form, so that the password is really hashed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.candor.port, timeout=20)
        connection.request("GET", "/accounts/login/", headers={"Host": "a"})
        answer = connection.getresponse()
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', answer.read())
        connection.close()
        assert token
        body = b"login=owner%40localhost&password=wrong-password&csrfmiddlewaretoken=" + token[1]
        return self.post("/accounts/login/", len(body), cookie) + body


@contextmanager
def held(site: Site, count: int, request: bytes) -> Iterator[None]:
    """Keep `count` connections that have sent `request`. Each that the server closes is opened again."""
    with repeated(site, count, request, b""):
        yield


@contextmanager
def repeated(site: Site, count: int, request: bytes, piece: bytes) -> Iterator[None]:
    """`count` threads send `request`, then `piece` again and again, until the server responds or closes."""
    ending = threading.Event()

    def attack() -> None:
        while not ending.is_set():
            with contextlib.suppress(OSError), site.connect(request) as connection:
                connection.settimeout(1)
                while not ending.is_set() and piece:
                    connection.sendall(piece)
                while not ending.is_set():
                    with contextlib.suppress(TimeoutError):
                        if not connection.recv(65536):
                            break

    threads = [threading.Thread(target=attack, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join(15)


@contextmanager
def sqlite_lock(site: Site) -> Iterator[None]:
    """An exclusive lock on the database, and visitors who need it."""
    database = sqlite3.connect(site.candor.folder / "data/private/candor.sqlite3", isolation_level=None)
    with contextlib.closing(database), held(site, 16, site.post("/subscribe", len(SUBSCRIBE)) + SUBSCRIBE):
        database.execute("BEGIN EXCLUSIVE")
        yield
        database.execute("ROLLBACK")


@contextmanager
def row_lock(site: Site) -> Iterator[None]:
    """A lock on the row of the page, and visitors beside it."""
    import psycopg

    with psycopg.connect(site.candor.env["DATABASE_URL"]) as database:
        database.execute("SELECT * FROM incidents_page FOR UPDATE")
        with held(site, 16, site.post("/subscribe", len(SUBSCRIBE)) + SUBSCRIBE):
            yield


@contextmanager
def no_database(site: Site) -> Iterator[None]:
    assert site.postgres
    site.postgres.stop_at_once()
    with held(site, 16, DJANGO):
        yield


@contextmanager
def huge_headers(site: Site) -> Iterator[None]:
    """Four clients send 1,000 requests, each with another Accept-Encoding of 300 KB."""
    with ExitStack() as stack:
        for number in range(4):
            header = f"Accept-Encoding: {number}{'x' * 300_000}\r\nConnection: close\r\n\r\n"
            stack.enter_context(held(site, 4, f"GET / HTTP/1.1\r\nHost: a\r\n{header}".encode()))
        yield


@contextmanager
def unread(site: Site) -> Iterator[None]:
    """4,200 connections, more than the front door accepts, whose clients send requests and read no response."""
    with ExitStack() as stack:
        for _ in range(4200):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(10)
            connection.connect(("127.0.0.1", site.candor.port))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 300)
        time.sleep(CUT_AFTER)
        yield


Attack = Callable[[Site], contextlib.AbstractContextManager[None]]
ON_SQLITE: dict[str, Attack] = {
    "200 bodies stall": lambda site: held(site, 200, site.post("/subscribe", 1000) + b"em"),
    "1,100 headers stall": lambda site: held(site, 1100, b"GET / HTTP/1.1\r\nHost: a\r\nX-A: "),
    "8 uploads of 300 MB": lambda site: repeated(site, 8, site.post("/subscribe", 300 << 20), b"x" * 65536),
    "4,200 clients do not read, 12 s later": unread,
    "20 wrong sign-ins": lambda site: held(site, 20, site.wrong_sign_in()),
    "64 clients, unpublished paths": lambda site: held(site, 64, DJANGO),
    "Accept-Encoding of 300 KB": huge_headers,
    "SQLite locked": sqlite_lock,
}
ON_POSTGRES: dict[str, Attack] = {"row locked": row_lock, "database gone": no_database}


def besiege(site: Site, attacks: dict[str, Attack]) -> None:
    site.load()  # warm
    share, quiet, per_second = site.load()
    print(f"| quiet | {per_second:,.0f} | {share:.2%} | {quiet:.1f} | 1 | 0 |", flush=True)
    for name, attack in attacks.items():
        before = site.memory()
        with attack(site):
            time.sleep(1)
            share, p99, per_second = site.load()
            growth = site.memory() - before
        print(
            f"| {name} | {per_second:,.0f} | {share:.2%} | {p99:.1f} | {p99 / quiet:.1f} | {growth:.0f} |", flush=True
        )


def prepare(folder: str, rate: int, seconds: float, postgres: Postgres | None = None) -> Site:
    candor = Candor(Path(folder), env={"PAGE_NAME": "Acme"})
    if postgres:
        postgres.start()
        candor.env["DATABASE_URL"] = postgres.create("siege")
    candor.manage("setup")
    candor.manage("publish")
    start_web(candor)
    return Site(candor, rate, seconds, postgres)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--only", default="", help="attacks whose names contain this")
    parser.add_argument("--load", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        load = Load(options.load, ["/"], rate=options.rate, seconds=options.seconds)
        started = time.monotonic()
        load.run()
        print(json.dumps([load.tally.share, load.tally.p99, load.tally.total / (time.monotonic() - started)]))
        return 0
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(COLUMNS)
    for postgres, attacks in ((None, ON_SQLITE), (Postgres(), ON_POSTGRES)):
        chosen = {name: attack for name, attack in attacks.items() if options.only in name}
        if not chosen:
            continue
        with tempfile.TemporaryDirectory() as folder:
            site = prepare(folder, options.rate, options.seconds, postgres)
            try:
                besiege(site, chosen)
            finally:
                site.candor.stop()
                if postgres:
                    postgres.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
