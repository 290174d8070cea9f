"""A small Candor to break: dispatcher and worker as processes, a mail server that counts, and what came of it."""

import email
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.live import Candor
from tests.servers import SmtpSink, wait_until

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
from incidents.actions.incidents import open_incident
from incidents.actor import SYSTEM
from incidents.models import Page
started = time.perf_counter()
open_incident(Page.objects.get(), title="API outage", body="We are looking.", actor=SYSTEM)
print(json.dumps({"seconds": time.perf_counter() - started}))
"""
STATES = """
import json
from django.db.models import Count
from statuspage.subscribers.models import Delivery
print(json.dumps({
    "states": dict(Delivery.objects.values_list("state").annotate(Count("pk"))),
    "leased": Delivery.objects.filter(lease_until__isnull=False).count(),
}))
"""


@dataclass
class Fleet:
    candor: Candor
    sink: SmtpSink

    def prepare(self, readers: int) -> None:
        self.candor.env["EMAIL_URL"] = self.sink.url
        # Knobs of the one who runs the tests must not reach the processes.
        self.candor.env.setdefault("REDIS_URL", "")
        self.candor.manage("migrate", "-v0")
        self.candor.manage("createcachetable")
        self.shell(PREPARE.replace("COUNT", str(readers)))

    def publish(self) -> float:
        """Declare an incident; the seconds that the action took."""
        seconds: float = self.told(PUBLISH)["seconds"]
        return seconds

    def shell(self, code: str) -> str:
        return self.candor.manage("shell", "-v0", "-c", code)

    def told(self, code: str) -> Any:
        """The last line of what `code` prints, as JSON."""
        return json.loads(self.shell(code).strip().splitlines()[-1])

    def states(self) -> dict[str, int]:
        """Deliveries by state, once no row is in anybody's hands."""
        found = wait_until(self._at_rest, "all leases are given back", seconds=30)
        states: dict[str, int] = found["states"]
        return states

    def _at_rest(self) -> Any:
        told = self.told(STATES)
        return told if not told["leased"] and "queued" not in told["states"] else None

    def got(self, mails: int) -> Callable[[], bool]:
        return lambda: len(self.sink.letters) >= mails

    def readers_told(self) -> int:
        return len({letter.recipient for letter in self.sink.letters})

    def doubles(self) -> int:
        """Mails that came more than once. Told by their Message-ID, as a receiver would."""
        ids = Counter(email.message_from_bytes(letter.raw)["Message-ID"] for letter in list(self.sink.letters))
        assert len(ids) == self.readers_told(), "every reader's mail has one Message-ID, however often it comes"
        return sum(ids.values()) - len(ids)


def say(capsys: pytest.CaptureFixture[str], figure: str) -> None:
    """Figures are half of what these tests are for: shown even when they pass."""
    with capsys.disabled():
        print(f"\n{figure}")
