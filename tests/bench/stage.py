"""PostgreSQL, Redis, a sink and a prepared Candor to measure; and the table that comes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from statuspage.settings import SMTP_CONNECTIONS
from tests.live import Candor
from tests.servers import Postgres, Redis, wait_until
from tests.smtp_sink_process import FastSink

# The first reader is made as any, the others after its model, whatever columns there are.
PREPARE = """
from datetime import timedelta
from django.db import connection
from django.utils import timezone
from incidents.models import Page
from statuspage.subscribers.models import Subscriber
page, _ = Page.objects.get_or_create(name="NAME", domain="DOMAIN")
first = Subscriber.objects.create(
    page=page, email="reader1@DOMAIN", state="active", confirmed_at=timezone.now() - timedelta(hours=1)
)
own = {"public_id": f"lpad(to_hex({page.pk} * 10000000 + n), 12, '0')", "email": "'reader' || n || '@DOMAIN'"}
columns = [field.column for field in Subscriber._meta.concrete_fields if not field.primary_key]
with connection.cursor() as cursor:
    cursor.execute(f'''
        INSERT INTO subscribers_subscriber ({", ".join(columns)})
        SELECT {", ".join(own.get(column, column) for column in columns)}
        FROM subscribers_subscriber, generate_series(2, COUNT) n WHERE id = {first.pk}''')
    cursor.execute("ANALYZE")
"""
PUBLISH = """
import json, time
from incidents.actions.incidents.incident_lifecycle import open_incident
from incidents.actor import SYSTEM
from incidents.models import Page
open_incident(Page.objects.get(domain="DOMAIN"), title="API outage", body="We are looking.", actor=SYSTEM)
print(json.dumps(time.monotonic()))
"""
FAN_OUT = """
import json, resource, time
from statuspage.notifications.fan_out import fan_out_waiting
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
fan_out_waiting()
print(json.dumps([time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before]))
"""


@dataclass
class Stage:
    candor: Candor
    redis: Redis
    sink: FastSink

    def prepare(self, domain: str, readers: int) -> None:
        code = PREPARE.replace("NAME", domain).replace("DOMAIN", domain).replace("COUNT", str(readers))
        self.shell(code)

    def publish(self, domain: str) -> float:
        """When, by time.monotonic()."""
        return float(self.run_json(PUBLISH.replace("DOMAIN", domain)))

    def fan_out(self) -> tuple[float, float]:
        """Seconds, and MiB that it grew by."""
        seconds, kibibytes = self.run_json(FAN_OUT)
        return seconds, kibibytes / 1024

    def shell(self, code: str) -> str:
        return self.candor.manage("shell", "-v0", "-c", code)

    def run_json(self, code: str) -> Any:
        return json.loads(self.shell(code).strip().splitlines()[-1])

    @contextmanager
    def workers(self, processes: int, *, connections: int = SMTP_CONNECTIONS) -> Iterator[subprocess.Popen[bytes]]:
        """One Celery worker with so many processes. Nobody rings for it but us."""
        self.candor.env["SMTP_CONNECTIONS"] = str(connections)
        self.redis.flush()  # of old rings, which would start it before the clock
        worker = self.candor.start_worker(processes=processes)
        wait_until(self.redis.has_waiting_worker, "the worker waits", seconds=60)
        try:
            yield worker
        finally:
            self.candor.kill("worker")

    def ring(self, times: int) -> None:
        """As the dispatcher would. Rings nobody took before are stale."""
        self.shell(RING.replace("TIMES", str(times)))

    def send_all(self, mails: int, *, processes: int, seconds: float = 600) -> float:
        """Mails a second at the sink, from the first to the last of them."""
        self.sink.reset()
        deadline = time.monotonic() + seconds
        while (got := self.sink.stat()["mails"]) < mails:
            self.ring(2 * processes)
            assert time.monotonic() < deadline, f"only {got} of {mails} mails came"
            time.sleep(1)
        stat = self.sink.stat()
        rate: float = (stat["mails"] - 1) / (stat["last"] - stat["first"])
        return rate


RING = """
from statuspage.celery import app
with app.connection_for_write() as connection:
    for _ in range(TIMES):
        app.send_task("notifications.deliver", ["email"], connection=connection, expires=5)
"""


@contextmanager
def stage() -> Iterator[Stage]:
    """Everything started, on an empty, migrated database; everything stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="candor-bench-"))
    postgres, redis, sink, candor = Postgres(), Redis(folder), FastSink(), Candor(folder)
    try:
        postgres.start()
        redis.start()
        sink.start()
        candor.env |= {"DATABASE_URL": postgres.create("bench"), "REDIS_URL": redis.url, "EMAIL_URL": sink.url}
        candor.env |= {"SECRET_KEY": "only-for-benches-" * 4, "LOG_LEVEL": "WARNING"}
        candor.manage("migrate", "-v0")
        candor.manage("createcachetable")
        yield Stage(candor, redis, sink)
    finally:
        candor.stop()
        sink.stop()
        redis.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def resident(pid: int) -> float:
    """MiB of memory that process `pid` and its children hold."""
    pages = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if pid in (int(entry.name), parent):
                    pages += int((entry / "statm").read_text().split()[1])
            except OSError:
                continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
