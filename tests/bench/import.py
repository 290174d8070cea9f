# ruff: noqa: N999
"""How long an import takes, and whether its memory grows with the page: python -m tests.bench.import

A server in a process of its own serves a Statuspage with resolved incidents of four updates each; `import_page` reads
it over HTTP without pauses, into a fresh SQLite. The same ten times smaller is run first: memory is compared with it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.importers.statuspages import PAGE_ID, FakeStatuspage, affected, component, incident, stamp, update
from tests.live import ROOT, Candor
from tests.receivers import ReceivedRequest, Reply

NEWEST = datetime(2024, 11, 1, tzinfo=UTC)
COMPONENTS = 40
STEPS = (("investigating", 0), ("identified", 10), ("monitoring", 40), ("resolved", 60))  # minutes
CHANGES = ((0, "operational", "partial_outage"), (2, "partial_outage", "operational"))
TEXT = "We see elevated error rates on **{name}** since {at}. Requests may fail with `503`.\n\nMore in half an hour."


def made(number: int, components: list[dict[str, Any]]) -> dict[str, Any]:
    began = NEWEST - timedelta(hours=5 * number)
    code, touched = f"i{number:011}", components[number % len(components)]
    updates = []
    for step, (status, minutes) in enumerate(STEPS):
        rows = [affected(touched["id"], touched["name"], old, new) for at, old, new in CHANGES if at == step]
        at = stamp(began + timedelta(minutes=minutes))
        text = TEXT.format(name=touched["name"], at=at)
        updates.append(update(f"{'abcd'[step]}{code[1:]}", code, status, at, text, rows or None))
    return incident(code, f"Errors on {touched['name']}", updates[::-1], components=[touched])


class Server(FakeStatuspage):
    """Knows every answer beforehand: what is measured is the reader."""

    def __init__(self, incidents: int) -> None:
        super().__init__()
        self.components = [component(f"c{n:011}", f"Part {n}") for n in range(COMPONENTS)]
        self.incidents = [made(number, self.components) for number in range(incidents)]
        self._by_code = {details["id"]: json.dumps(details).encode() for details in self.incidents}
        self._by_month: dict[str, list[dict[str, Any]]] = {}
        for details in self.incidents:
            row = {"code": details["id"], "name": details["name"], "impact": details["impact"]}
            self._by_month.setdefault(details["created_at"][:7], []).append(row)

    def serve(self, heard: ReceivedRequest) -> Reply:
        reply = super().serve(heard)
        self.requests.clear()
        return reply

    def _public(self, path: str, query: Mapping[str, str]) -> Reply:
        body = self._by_code.get(path.removeprefix("/incidents/").removesuffix(".json"))
        if body is None:
            return super()._public(path, query)
        return Reply(body=body)

    def _month(self, number: int) -> dict[str, Any]:
        year, month = divmod(number, 12)
        return {"name": "", "year": year, "incidents": self._by_month.get(f"{year}-{month + 1:02}", [])}


def serve(incidents: int, port: Any) -> None:
    server = Server(incidents)
    server.start()
    port.put(server.port)
    while True:
        time.sleep(60)


@dataclass(frozen=True)
class Run:
    name: str
    incidents: int
    seconds: float
    cpu: float
    megabytes: float

    def row(self) -> str:
        rate = self.incidents / self.seconds
        size = f"{self.name:<26}{self.incidents:>10,}{4 * self.incidents:>10,}"
        return f"{size}{self.seconds:>9.1f}{self.cpu:>9.1f}{rate:>9.0f}{self.megabytes:>9.0f}"


def measure(name: str, incidents: int, arguments: list[str], candor: Candor) -> Run:
    command = [sys.executable, str(ROOT / "manage.py"), "import_page", "statuspage", *arguments, "--rate", "0"]
    environment = {**candor.environment, "OUTBOUND_ALLOW": "127.0.0.0/8"}
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(output)
    return Run(name, incidents, time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def bench(incidents: int) -> list[Run]:
    queue: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(incidents, queue), daemon=True)
    server.start()
    port = queue.get(timeout=120)
    public = ["--from-public", f"http://127.0.0.1:{port}"]
    keyed = ["--api-key", "sesame", "--page-id", PAGE_ID, "--api-url", f"http://127.0.0.1:{port}/v1"]
    runs: list[Callable[[Candor], Run]] = [
        lambda candor: measure("public", incidents, public, candor),
        lambda candor: measure("public, again", incidents, public, candor),
    ]
    try:
        results = []
        for group in (runs, [lambda candor: measure("with a key", incidents, keyed, candor)]):
            with tempfile.TemporaryDirectory() as folder:
                candor = Candor(Path(folder))
                candor.manage("migrate", "--verbosity", "0")
                results += [run(candor) for run in group]
        return results
    finally:
        server.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--incidents", type=int, default=10_000)
    incidents = parser.parse_args().incidents
    small, large = bench(max(10, incidents // 10)), bench(incidents)
    head = f"{'':<26}{'incidents':>10}{'updates':>10}{'seconds':>9}{'CPU s':>9}{'inc./s':>9}{'peak MB':>9}"
    growth = ", ".join(f"{b.name} x{b.megabytes / a.megabytes:.2f}" for a, b in zip(small, large, strict=True))
    lines = [head, *(run.row() for run in [*small, *large]), f"peak memory of ten times as much: {growth}", ""]
    sys.stdout.write("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
