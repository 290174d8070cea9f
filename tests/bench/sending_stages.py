"""Processor time of one sending process by stage, beside a bare smtplib loop:

    python -m tests.bench.sending_stages [--mails 20000] [--rounds 3]

Everything is real: PostgreSQL with the ledger, and an SMTP server in a process of its own that replies at once. Times
are processor time of the sending process, so other programs on the machine disturb them less than elapsed time.
"""

from __future__ import annotations

import argparse
import functools
import math
import os
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any

from tests.bench.publishing import say
from tests.bench.stage import PREPARE, PUBLISH
from tests.servers import Postgres
from tests.smtp_sink_process import FastSink

BARE = "bare smtplib loop"
OTHER = "the rest: loop, threads, timing"


class Stages:
    """Processor seconds by stage. The time of a stage does not contain that of the stages that it calls."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._local = threading.local()

    def wrap(self, owner: type, name: str, stage: str) -> None:
        """Count the calls of this method to `stage`."""
        method: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(method)
        def measured(*arguments: Any, **options: Any) -> Any:
            outer = getattr(self._local, "stage", OTHER)
            self._switch(stage)
            try:
                return method(*arguments, **options)
            finally:
                self._switch(outer)

        setattr(owner, name, measured)

    def _switch(self, stage: str) -> None:
        now = time.thread_time()
        if hasattr(self._local, "since"):
            self.seconds[self._local.stage] += now - self._local.since
        self._local.stage, self._local.since = stage, now


def wrap_stages() -> Stages:
    from statuspage.notifications.acknowledgements import AckBuffer
    from statuspage.notifications.batches import BatchPrefetcher
    from statuspage.notifications.models.claim_position import ClaimPosition
    from statuspage.notifications.models.deliveries import DeliveryQuerySet
    from statuspage.notifications.transports.email import EmailTransport
    from statuspage.notifications.transports.smtp.connection import SmtpConnection
    from statuspage.notifications.transports.smtp.envelope import Envelope
    from statuspage.notifications.transports.smtp.pool import SmtpPool
    from statuspage.notifications.worker import Worker

    stages = Stages()
    stages.wrap(BatchPrefetcher, "_claim", "claim: select and lease rows")
    stages.wrap(ClaimPosition, "next_ids", "claim: select and lease rows")
    stages.wrap(DeliveryQuerySet, "for_sending", "claim: load deliveries and subscribers")
    stages.wrap(SmtpPool, "_next_envelope", "check each delivery, take it from the batch")
    stages.wrap(EmailTransport, "compose", "render: once per event, language and time zone")
    stages.wrap(Envelope, "prepare", "MIME: fill in address, links, ids, return path")
    stages.wrap(SmtpPool, "_wait", "SMTP: wait for sockets")
    stages.wrap(SmtpConnection, "read", "SMTP: read and interpret replies")
    stages.wrap(SmtpConnection, "write", "SMTP: write (system calls)")
    stages.wrap(Worker, "_settle", "record: hand over accepted deliveries")
    stages.wrap(AckBuffer, "_flush", "record: mark as sent")
    return stages


def bare_loop(port: int, mail: bytes, mails: int) -> float:
    """Return the processor seconds per email of a loop over one connection."""
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        began = time.process_time()
        for number in range(mails):
            client.sendmail("status@localhost", [f"reader{number}@bare.example"], mail)
        return (time.process_time() - began) / mails


def publish(domain: str, mails: int) -> None:
    from statuspage.notifications.fan_out import fan_out_waiting

    if mails:
        exec(PREPARE.replace("NAME", domain).replace("DOMAIN", domain).replace("COUNT", str(mails)), {})
    exec(PUBLISH.replace("DOMAIN", domain).replace("print(", "str("), {})
    fan_out_waiting()


def prebuilt() -> bytes:
    from statuspage.notifications.messages.notification import read_notification
    from statuspage.notifications.models import Delivery
    from statuspage.notifications.transports.email import EmailTransport

    delivery = Delivery.objects.queued().select_related("subscriber__page").earliest("pk")
    notification = read_notification([delivery.event_id or 0])[delivery.event_id or 0]
    return EmailTransport().compose(delivery, notification).template(eight_bit=True, dot_stuffed=False).fill(delivery)


def perform(port: int, mails: int, rounds: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from statuspage.notifications.worker import deliver_due

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {rounds} rounds of {mails:,} emails")
    publish("stages.example", mails)
    mail = prebuilt()
    deliver_due("email", budget=math.inf)  # imports, templates, connections
    stages = wrap_stages()
    bare, total = [], []
    by_stage: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        publish("stages.example", 0)
        bare.append(bare_loop(port, mail, mails // 4))
        stages.seconds.clear()
        began = time.process_time()
        sent = deliver_due("email", budget=math.inf)
        total.append((time.process_time() - began) / sent)
        assert sent == mails, sent
        for stage, seconds in stages.seconds.items():
            by_stage[stage].append(seconds / sent)
    report(len(mail), bare, total, by_stage)


def report(octets: int, bare: list[float], total: list[float], by_stage: dict[str, list[float]]) -> None:
    known = {stage: median(values) for stage, values in by_stage.items() if stage != OTHER}
    known[OTHER] = median(total) - sum(known.values())
    say("| Stage | Microseconds per email | Share |\n| --- | ---: | ---: |")
    for stage, seconds in sorted(known.items()):
        say(f"| {stage} | {seconds * 1e6:.1f} | {seconds / median(total):.0%} |")
    say(f"| **one sending process** | {median(total) * 1e6:.1f} | 100% |")
    say(f"| {BARE}, {octets:,} octets per email | {median(bare) * 1e6:.1f} | |")
    ratios = [loop / own for loop, own in zip(bare, total, strict=True)]
    say(f"Emails per second of processor time: {median(ratios):.2f} x the loop ({min(ratios):.2f}-{max(ratios):.2f})")


def main() -> int:
    parser = argparse.ArgumentParser(description="Processor time of sending, by stage.")
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.port:
        perform(options.port, options.mails, options.rounds)
        return 0
    postgres, sink = Postgres(), FastSink()
    with tempfile.TemporaryDirectory() as folder:
        try:
            postgres.start()
            sink.start()
            return run(folder, postgres.create("stages"), sink, options)
        finally:
            sink.stop()
            postgres.stop()


def run(folder: str, database: str, sink: FastSink, options: argparse.Namespace) -> int:
    """In a process of its own: settings are read from the environment once."""
    environment = {
        **os.environ, "DATA_DIR": folder, "DATABASE_URL": database, "EMAIL_URL": sink.url, "ENV_FILE": os.devnull,
        "LOG_LEVEL": "ERROR", "REDIS_URL": "", "SECRET_KEY": "only-for-the-bench-" * 3,
        "DJANGO_SETTINGS_MODULE": "statuspage.settings",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.bench.sending_stages", "--port", str(sink.port)]
    command += ["--mails", str(options.mails), "--rounds", str(options.rounds)]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
