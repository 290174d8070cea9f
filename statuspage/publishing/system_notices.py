"""What does not work, in plain sentences: the one list behind /readyz, the console and /metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo

from django.conf import settings

from statuspage.notifications.models import Delivery, Heartbeat, Installation
from statuspage.publishing.models import Publication

# After this many seconds without a heartbeat a process counts as stopped. Each records one every 10 s.
STALE_SECONDS = 90
CODES = ("identity", "dispatcher", "worker", "redis", "clock", "publishing", "mail")
MAX_CLOCK_OFFSET = 5.0
# Emails that were due for so long are waiting.
WAITING = timedelta(minutes=1)


@dataclass(frozen=True)
class SystemNotice:
    """`code` is for programs. `help` is the section of docs/operating.md that says what to do.

    `is_critical`: Candor does not do its job, so /readyz responds with 503.
    """

    code: str
    text: str
    help: str
    is_critical: bool = True


def system_notices(zone: tzinfo = UTC, *, with_publishing: bool = True) -> list[SystemNotice]:
    """Return all notices, the most important first, with times in `zone`. A fixed number of queries."""
    alive = Heartbeat.objects.alive(within=timedelta(seconds=STALE_SECONDS))
    publishing = _publishing() if with_publishing else []
    return [*_identity(), *_processes({row.process for row in alive}), *_clocks(alive), *publishing, *_mail(zone)]


def _identity() -> list[SystemNotice]:
    reason = Installation.objects.reason()
    return [SystemNotice("identity", reason, "restore-a-backup")] if reason else []


def _processes(alive: set[str]) -> list[SystemNotice]:
    if "dispatcher" not in alive:
        text = f"The dispatcher has not reported for {STALE_SECONDS} seconds. Nothing is sent or published."
        return [SystemNotice("dispatcher", text, "processes")]
    if not settings.REDIS_URL or "worker" in alive:
        return []
    cause = "No worker has reported" if "redis" in alive else "Redis has not responded"
    text = f"{cause} for {STALE_SECONDS} seconds. The dispatcher sends everything itself, which is slower."
    return [SystemNotice("worker" if "redis" in alive else "redis", text, "processes", is_critical=False)]


def _clocks(alive: list[Heartbeat]) -> list[SystemNotice]:
    return [
        SystemNotice(
            "clock",
            f"The clock of the {row.process} {row.instance} is {abs(row.clock_offset):,.0f} seconds"
            f" {'ahead of' if row.clock_offset > 0 else 'behind'} the database's clock, which decides what is due.",
            "clocks",
        )
        for row in alive
        if abs(row.clock_offset) > MAX_CLOCK_OFFSET
    ]


def _publishing() -> list[SystemNotice]:
    stale, failing = Publication.objects.stale_pages(), Publication.objects.failing()
    notices = [
        SystemNotice("publishing", f"“{name}” has not been published for three minutes.", "publishing")
        for name in stale
    ]
    return notices + [SystemNotice("publishing", f"“{row.page}” cannot be published.", "publishing") for row in failing]


def _mail(zone: tzinfo) -> list[SystemNotice]:
    if not settings.EMAIL_URL:  # emails are written to files
        return []
    count, since = Delivery.objects.emails_waiting(WAITING)
    if not count or since is None:
        return []
    emails = "1 email has" if count == 1 else f"{count:,} emails have"
    text = f"{emails} been waiting since {since.astimezone(zone):%H:%M}. The mail server responds slowly or not at all."
    return [SystemNotice("mail", text, "mail")]
