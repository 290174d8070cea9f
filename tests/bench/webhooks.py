"""How long webhooks wait from publishing, while some of them hang: `python -m tests.bench.webhooks`.

A real dispatcher sends to a receiver on loopback. Prints seconds from the commit of the incident to its arrival at the
endpoints that answer, and how that compares with a run in which none hangs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

from tests.live import Candor
from tests.servers import Postgres, wait_until

PREPARE = """
from datetime import timedelta
from django.utils import timezone
from incidents.models import Page
from statuspage.subscribers.endpoints import new_secret
from statuspage.subscribers.models import Subscriber
page = Page.objects.create(name="Acme")
same = {{"page": page, "channel": "webhook", "state": "active", "confirmed_at": timezone.now() - timedelta(hours=1)}}
Subscriber.objects.bulk_create(
    Subscriber(endpoint="http://127.0.0.1:{port}/%s/%d" % ("hang" if n % 100 < {percent} else "ok", n),
               secret=new_secret(), **same)
    for n in range({endpoints})
)
"""
PUBLISH = """
import time
from incidents.actions.incidents.incident_lifecycle import open_incident
from incidents.actor import SYSTEM
from incidents.models import Page
open_incident(Page.objects.get(), title="API outage", body="We are looking.", actor=SYSTEM)
print(time.time())
"""


class Ear:
    """Answers /ok/… at once and /hang/… never; remembers when each path was heard first."""

    def __init__(self) -> None:
        self.requests: dict[str, float] = {}
        self.doubles = 0
        self.port = 0
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        path = head.split(" ", 2)[1]
        self.doubles += path in self.requests
        self.requests.setdefault(path, time.time())
        if path.startswith("/ok/"):
            length = next(line for line in head.splitlines() if line.lower().startswith("content-length:"))
            await reader.readexactly(int(length.split(":")[1]))
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        else:
            await reader.read()
        writer.close()

    def healthy(self) -> int:
        return sum(path.startswith("/ok/") for path in list(self.requests))


@contextmanager
def database(kind: str, folder: Path) -> Iterator[dict[str, str]]:
    if kind == "sqlite":
        yield {}
        return
    server = Postgres()
    server.start()
    try:
        yield {"DATABASE_URL": server.create(f"bench{folder.name[-6:].lower()}")}
    finally:
        server.stop()


def run(kind: str, *, endpoints: int, percent: int) -> list[float]:
    """Sorted seconds until each healthy endpoint was called."""
    with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as env:
        ear = Ear()
        candor = Candor(
            Path(name), env={"OUTBOUND_ALLOW": "127.0.0.0/8", "REDIS_URL": "", "LOG_LEVEL": "WARNING"} | env
        )
        try:
            candor.manage("migrate", "-v0")
            candor.manage("createcachetable")
            candor.manage("shell", "-v0", "-c", PREPARE.format(port=ear.port, percent=percent, endpoints=endpoints))
            candor.start_dispatcher()
            wait_until(lambda: "dispatcher" in candor.manage("shell", "-v0", "-c", ALIVE), "the dispatcher runs")
            published = float(candor.manage("shell", "-v0", "-c", PUBLISH).strip().splitlines()[-1])
            wanted = endpoints * (100 - percent) // 100
            wait_until(lambda: ear.healthy() >= wanted, "all healthy ones are called", seconds=120)
        finally:
            candor.stop()
        return sorted(at - published for path, at in ear.requests.items() if path.startswith("/ok/"))


ALIVE = """
from statuspage.notifications.models import Heartbeat
print(list(Heartbeat.objects.values_list("process", flat=True)))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=1000)
    parser.add_argument("--hanging", type=int, default=5, help="percent that never answer")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    options = parser.parse_args()
    row = "{:<12}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n"
    sys.stdout.write(row.format("database", "hanging", "healthy", "p50 s", "p95 s", "max s", "p95 ratio"))
    for kind in options.database or ["sqlite", "postgresql"]:
        base = 0.0
        for percent in (0, options.hanging):
            times = run(kind, endpoints=options.endpoints, percent=percent)
            p50, p95 = (quantiles(times, n=100)[n - 1] for n in (50, 95))
            base = base or p95
            figures = (f"{p50:.2f}", f"{p95:.2f}", f"{times[-1]:.2f}", f"{p95 / base:.2f}")
            sys.stdout.write(row.format(kind, f"{percent} %", len(times), *figures))
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
