"""Deliver to many subscribers with a transport that accepts everything, in bounded memory; compare with the model.

    python -m tests.bench.scale [--deliveries 200000] [--database URL]

Everything but the mail server is real: PostgreSQL, the fan-out in portions, the claim, the check, composing each email
and marking it as sent, in one process. Prints rates, resident memory and the time of 10 million deliveries, and each
figure beside the prediction of `tests/bench/capacity.py`. `--database` names an empty database; without it, a server is
started for the run.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from tests.bench import capacity
from tests.bench.publishing import rss, say
from tests.bench.stage import PREPARE
from tests.servers import Postgres

PROJECTED = 10_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description="Simulate deliveries with a transport that accepts everything.")
    parser.add_argument("--deliveries", type=int, default=200_000)
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database")
    options = parser.parse_args()
    postgres = Postgres()
    with tempfile.TemporaryDirectory() as folder:
        try:
            if not options.database:
                postgres.start()
            run(options.deliveries, folder, options.database or postgres.create("scale"))
        finally:
            postgres.stop()
    return 0


def run(deliveries: int, folder: str, database: str) -> None:
    """In a process of its own: settings are read from the environment once."""
    environment = {
        **os.environ, "DATA_DIR": folder, "DATABASE_URL": database, "ENV_FILE": os.devnull, "LOG_LEVEL": "ERROR",
        "REDIS_URL": "", "SECRET_KEY": "only-for-the-bench-" * 3, "DJANGO_SETTINGS_MODULE": "statuspage.settings",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.bench.scale", "--task", str(deliveries)]
    subprocess.run(command, env=environment, check=True)


def perform(deliveries: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    simulate(deliveries)


def simulate(deliveries: int) -> None:
    from statuspage.notifications.fan_out import fan_out

    event = publish(deliveries)
    say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {deliveries:,} deliveries")
    fanned_out = sent = 0
    fanning = sending = 0.0
    early = rss()
    while True:
        began = time.perf_counter()
        created = fan_out(event)
        fanning += time.perf_counter() - began
        fanned_out += created
        if not created:
            break
        began = time.perf_counter()
        sent += send_waiting()
        sending += time.perf_counter() - began
        if fanned_out == created:
            early = rss()
        say(f"  {sent:>12,} sent, {sent / sending:,.0f}/s, RSS {rss():.0f} MB")
    assert sent == fanned_out == deliveries, (sent, fanned_out)
    report(deliveries, fanning, sending, early)


def publish(deliveries: int) -> int:
    """Create the page with its subscribers and an incident. Return the id of its event."""
    from incidents.actions.incidents.incident_lifecycle import open_incident
    from incidents.actor import SYSTEM
    from incidents.models import Event, Page

    exec(PREPARE.replace("NAME", "Scale").replace("DOMAIN", "scale.example").replace("COUNT", str(deliveries)), {})
    page = Page.objects.get(domain="scale.example")
    open_incident(page, title="API outage", body="We are looking.", actor=SYSTEM)
    return Event.objects.newest_of(page)


def send_waiting() -> int:
    """Send what is due. Return the number of settled deliveries."""
    from statuspage.notifications.models import Delivery
    from statuspage.notifications.transports import TRANSPORTS
    from statuspage.notifications.transports.email import EmailTransport
    from statuspage.notifications.worker import deliver_due

    class AcceptAll(EmailTransport):
        """Composes each email, and accepts it without a server."""

        def send_many(self, pairs: Iterator[tuple[Any, Delivery]]) -> Iterator[tuple[Delivery, Exception | None]]:
            for composed, delivery in pairs:
                composed.template(eight_bit=True, dot_stuffed=False).fill(delivery)
                yield delivery, None

    TRANSPORTS["email"] = AcceptAll
    settled = 0
    while count := deliver_due("email", budget=math.inf):
        settled += count
    return settled


def report(deliveries: int, fanning: float, sending: float, early: float) -> None:
    predicted = capacity.emails_per_second(1, connections=1, latency=0)
    rows = [
        ("fan-out: rows/s", capacity.MEASURED.fanned_out, deliveries / fanning),
        ("claim, check, compose, mark: emails/s", predicted, deliveries / sending),
        ("fan-out and sending: s", capacity.fan_out_seconds(deliveries) + deliveries / predicted, fanning + sending),
    ]
    say("| Figure | Predicted | Measured | Measured / predicted |")
    say("| --- | ---: | ---: | ---: |")
    for what, expected, measured in rows:
        say(f"| {what} | {expected:,.0f} | {measured:,.0f} | {measured / expected:.2f} |")
    hours = (fanning + sending) / deliveries * PROJECTED / 3600
    say(f"RSS after the first portion {early:.0f} MB, at the end {rss():.0f} MB.")
    say(f"{PROJECTED:,} deliveries at this rate: {hours:.2f} hours in one process.")


if __name__ == "__main__":
    if "--task" in sys.argv:
        perform(int(sys.argv[2]))
    else:
        sys.exit(main())
