"""A small Candor to break: dispatcher and worker as processes, a mail server that counts, and what came of it."""

import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from tests.live import Candor
from tests.servers import wait_until
from tests.smtp_sink_process import FastSink

PREPARE = """
from datetime import timedelta
from django.utils import timezone
from incidents.models import Page
from statuspage.subscribers.models import Subscriber
page = Page.objects.create(name="Acme")
confirmed = timezone.now() - timedelta(hours=1)
same = {"page": page, "state": "active", "confirmed_at": confirmed}
Subscriber.objects.bulk_create(Subscriber(email=f"reader{n}@example.com", **same) for n in range(COUNT))
"""
PUBLISH = """
import json, time
from incidents.actions.incidents.incident_lifecycle import open_incident
from incidents.actor import SYSTEM
from incidents.models import Page
started = time.perf_counter()
open_incident(Page.objects.get(), title="API outage", body="We are looking.", actor=SYSTEM)
print(json.dumps({"seconds": time.perf_counter() - started}))
"""
STATES = """
import json
from django.db.models import Count
from statuspage.notifications.models import Delivery
print(json.dumps({
    "states": dict(Delivery.objects.values_list("state").annotate(Count("pk"))),
    "leased": Delivery.objects.filter(lease_until__isnull=False).count(),
}))
"""


class Sink(Protocol):
    """A mail server that counts: tests.smtp_sink_process.FastSink, or the slow one that keeps what it takes."""

    @property
    def url(self) -> str: ...

    def stat(self) -> dict[str, Any]: ...


@dataclass
class Crew:
    candor: Candor
    sink: Sink

    def prepare(self, readers: int) -> None:
        self.candor.env["EMAIL_URL"] = self.sink.url
        # Knobs of the one who runs the tests must not reach the processes.
        self.candor.env.setdefault("REDIS_URL", "")
        self.candor.manage("migrate", "-v0")
        self.candor.manage("createcachetable")
        self.shell(PREPARE.replace("COUNT", str(readers)))

    def publish(self) -> float:
        """Declare an incident; the seconds that the action took."""
        seconds: float = self.run_json(PUBLISH)["seconds"]
        return seconds

    def shell(self, code: str) -> str:
        return self.candor.manage("shell", "-v0", "-c", code)

    def run_json(self, code: str) -> Any:
        """The last line of what `code` prints, as JSON."""
        return json.loads(self.shell(code).strip().splitlines()[-1])

    def states(self) -> dict[str, int]:
        """Deliveries by state, once no row is in anybody's hands."""
        result = wait_until(self._at_rest, "all leases are given back", seconds=30)
        states: dict[str, int] = result["states"]
        return states

    def _at_rest(self) -> Any:
        result = self.run_json(STATES)
        return result if not result["leased"] and "queued" not in result["states"] else None

    def mails(self) -> int:
        count: int = self.sink.stat()["mails"]
        return count

    def got(self, mails: int) -> Callable[[], bool]:
        return lambda: self.mails() >= mails

    def readers_told(self) -> int:
        count: int = self.sink.stat()["readers"]
        return count

    def doubles(self) -> int:
        """Mails that came more than once. Told by their Message-ID, as a receiver would."""
        stat = self.sink.stat()
        assert stat["ids"] == stat["readers"], "every reader's mail has one Message-ID, however often it comes"
        doubles: int = stat["mails"] - stat["ids"]
        return doubles

    def start_workers(self, *names: str, processes: int = 1) -> None:
        """Celery workers under these names. Returns when one of them is ready."""
        for name in names:
            self.candor.start_worker(name, processes=processes)
        wait_until(lambda: self.run_json(WORKER_BEATS), "a worker is ready", seconds=60)

    def seconds_until(self, true: Callable[[], Any], what: str, *, seconds: float = 60) -> float:
        began = time.monotonic()
        wait_until(true, what, seconds=seconds)
        return time.monotonic() - began


@dataclass
class Fleet(Crew):
    """With the mail server that takes whatever comes, as fast as it comes, and has whims."""

    sink: FastSink


WORKER_BEATS = """
import json
from statuspage.notifications.models import Heartbeat
print(json.dumps(Heartbeat.objects.is_alive("worker")))
"""

# The figures in docs/reliability.md are from the full size; the small one keeps CI quick.
FULL = os.environ.get("CANDOR_FAULTS") == "full"


def sized(small: int, full: int) -> int:
    return full if FULL else small


def chance() -> random.Random:
    """Another one each time, whose seed is printed."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    return random.Random(seed)


def say(capsys: pytest.CaptureFixture[str], figure: str) -> None:
    """Figures are half of what these tests are for: shown even when they pass."""
    with capsys.disabled():
        print(f"\n{figure}")
