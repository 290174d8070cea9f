"""What does not work, in plain sentences: the one list behind /readyz, the console and /metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from django.conf import settings

from incidents.models import Page
from statuspage.notifications.models import Installation
from statuspage.publishing.models import FOLDER
from statuspage.publishing.system_state import MAX_EMAILS, Row, read_state
from statuspage.subscribers.models import Channel

# After this many seconds without a heartbeat a process counts as stopped. Each records one every 10 s.
STALE_SECONDS = 90
MAX_CLOCK_OFFSET = 5.0
# Emails that were due for so long are waiting.
WAITING = timedelta(minutes=1)


@dataclass(frozen=True)
class Help:
    """What to do about a notice. `section` is the anchor of the section of docs/operating.md with the details."""

    section: str
    advice: str


HELP = {
    "identity": Help(
        "when-the-database-does-not-belong-to-the-published-pages",
        "Check whether Candor uses the right database. Then run bin/manage adopt_published.",
    ),
    "dispatcher": Help(
        "processes",
        "Start Candor (bin/serve, or sudo systemctl start candor-dispatcher). Until then, updates are saved. They are "
        "published and sent afterwards.",
    ),
    "redis": Help("processes", "Start Redis, or correct REDIS_URL. No notification is lost."),
    "worker": Help("processes", "Start a worker (bin/serve, or sudo systemctl start candor-worker)."),
    "clock": Help("clocks", "Synchronize the clock of each machine named here (NTP)."),
    "publishing": Help("troubleshoot-an-outdated-page", "Visitors see the previous version."),
    "channel": Help(
        "troubleshoot-email",
        "Check the server and the settings for it. Sending resumes automatically when the server accepts messages. No "
        "notification is lost.",
    ),
    "mail": Help("troubleshoot-email", "Check the mail server. Sending resumes automatically. No email is lost."),
}
CODES = tuple(HELP)


@dataclass(frozen=True)
class SystemNotice:
    """`code` is for programs. `detail` is for staff only: it can contain hosts and addresses.

    `is_critical`: Candor does not do its job, so /readyz responds with 503.
    """

    code: str
    text: str
    detail: str = ""
    is_critical: bool = True

    @property
    def help(self) -> Help:
        return HELP[self.code]


def system_notices(zone: tzinfo = UTC, *, page: Page | None = None) -> list[SystemNotice]:
    """Return all notices, the most important first, with times in `zone`. One query.

    Those about publishing are about `page`, or about all pages.
    """
    state = read_state(page, heartbeat=timedelta(seconds=STALE_SECONDS), waiting=WAITING)
    notices = (_identity, _processes, _clocks, _publishing, _sending)
    return [notice for source in notices for notice in source(state, zone)]


State = Mapping[str, list[Row]]


def _identity(state: State, _zone: tzinfo) -> Iterator[SystemNotice]:
    for row in state.get("installation", []):
        yield SystemNotice("identity", Installation(mismatch=row.name, is_published_kept=bool(row.number)).reason)


def _processes(state: State, _zone: tzinfo) -> Iterator[SystemNotice]:
    running = {row.name for row in state.get("heartbeat", [])}
    if "dispatcher" not in running:
        text = f"The dispatcher has not reported for {STALE_SECONDS} seconds. Nothing is sent or published."
        yield SystemNotice("dispatcher", text)
    elif settings.REDIS_URL and "worker" not in running:
        cause = "No worker has reported" if "redis" in running else "Redis has not responded"
        text = f"{cause} for {STALE_SECONDS} seconds. The dispatcher sends everything itself, which is slower."
        yield SystemNotice("worker" if "redis" in running else "redis", text, is_critical=False)


def _clocks(state: State, _zone: tzinfo) -> Iterator[SystemNotice]:
    for row in state.get("heartbeat", []):
        if abs(row.number) > MAX_CLOCK_OFFSET:
            direction = "ahead of" if row.number > 0 else "behind"
            text = f"The clock of the {row.name} {row.detail} is {abs(row.number):,.0f} seconds {direction}"
            yield SystemNotice("clock", f"{text} the database's clock, which decides what is due.")


def _publishing(state: State, zone: tzinfo) -> Iterator[SystemNotice]:
    # Without a dispatcher nothing is published, which its notice states.
    is_running = any(row.name == "dispatcher" for row in state.get("heartbeat", []))
    for row in state.get("unpublished", []) if is_running else []:
        ending = "yet" if row.number else "for three minutes"
        yield SystemNotice("publishing", f"“{row.name}” has not been published {ending}.")
    for row in state.get("target", []):
        is_copy = row.detail != FOLDER
        name, place = (f"A copy of “{row.name}”", f" to {row.detail}") if is_copy else (f"“{row.name}”", "")
        if row.at is None:
            text = f"{name} has not been updated for three minutes."
            yield SystemNotice("publishing", text, row.detail, is_critical=False)
        else:
            detail = f"Since {_moment(row.at, zone)}{place}: {row.text}"
            yield SystemNotice("publishing", f"{name} cannot be published.", detail)


def _sending(state: State, zone: tzinfo) -> Iterator[SystemNotice]:
    paused = state.get("channel", [])
    for row in paused:
        since = f"Since {_moment(row.at, zone)}: " if row.at else ""
        text = f"{Channel(row.name).label} is paused because of an error."
        yield SystemNotice("channel", text, f"{since}{row.text}")
    emails = state["emails"][0]
    # Without a mail server, emails are written to files.
    if settings.EMAIL_URL and emails.at and Channel.EMAIL not in {row.name for row in paused}:
        count = f"At least {MAX_EMAILS:,}" if emails.number >= MAX_EMAILS else f"{emails.number:,.0f}"
        text = f"{count} {'email has' if emails.number == 1 else 'emails have'} been waiting"
        text = f"{text} since {_moment(emails.at, zone)}. The mail server responds slowly or not at all."
        yield SystemNotice("mail", text)


def _moment(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%b %d, %H:%M %Z}"
