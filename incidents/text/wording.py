"""Sentences about incidents that pages, mails and feeds share. Pure functions."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby

from incidents.models import Component
from incidents.models.states import Kind, Status

# What is said where nobody wrote anything.
BY_STATUS = {
    Status.INVESTIGATING: "We are investigating this issue.",
    Status.IDENTIFIED: "The issue has been identified.",
    Status.MONITORING: "A fix is in place and we are watching the results.",
    Status.RESOLVED: "This incident has been resolved.",
    Status.SCHEDULED: "This maintenance is planned.",
    Status.IN_PROGRESS: "The scheduled maintenance is in progress.",
    Status.VERIFYING: "The work is done and is being checked.",
    Status.COMPLETED: "The scheduled maintenance has been completed.",
}
MAINTENANCE_STARTED = "The scheduled maintenance has begun."
MAINTENANCE_COMPLETED = "The scheduled maintenance has been completed."
MAINTENANCE_CANCELED = "This maintenance has been cancelled. It will not take place."
MAINTENANCE_CUT_SHORT = "This maintenance has been cancelled before its end."
SERIES_CHANGED = "The days of this recurring maintenance have changed. It will not take place on this one."


def affected_sentence(components: Iterable[Component], *, kind: str = Kind.INCIDENT) -> str:
    """`This incident affected: Public APIs (REST API), Website.` Groups with members in brackets, then loose ones.

    `components` come in page order; an empty string if there are none. Of a maintenance: `This maintenance affects: …`
    """
    ordered = list(components)
    grouped = groupby((c for c in ordered if c.group), key=lambda c: c.group.name if c.group else "")
    phrases = [f"{name} ({', '.join(c.name for c in members)})" for name, members in grouped]
    phrases += [c.name for c in ordered if not c.group]
    opening = "This maintenance affects" if kind == Kind.MAINTENANCE else "This incident affected"
    return f"{opening}: {', '.join(phrases)}." if phrases else ""


def moment_text(moment: datetime, zone: tzinfo) -> str:
    """`Sep 22, 2022 - 19:35 UTC`, in `zone` (contract section 2.3)."""
    return f"{moment.astimezone(zone):%b %d, %Y - %H:%M %Z}"


def moment_with_utc(moment: datetime, zone: tzinfo) -> str:
    """`Sep 22, 2022 - 21:35 CEST (19:35 UTC)`, and the day again where it differs; UTC alone only once."""
    utc, local = moment.astimezone(UTC), moment.astimezone(zone)
    if not local.utcoffset():
        return moment_text(moment, UTC)
    beside = f"{utc:%H:%M} UTC" if utc.date() == local.date() else f"{utc:%b %d, %H:%M} UTC"
    return f"{moment_text(moment, zone)} ({beside})"


def machine_time(moment: datetime) -> str:
    """For `<time datetime>`: UTC to the second with `Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def short_duration(duration: timedelta) -> str:
    """`2 d 3 h`, `1 h 5 min`, `48 min`, `0 min`: for tables and charts, the two largest units, to the minute."""
    minutes = round(duration.total_seconds() / 60)
    sizes = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    parts = [f"{count} {unit}" for count, unit in sizes if count]
    return " ".join(parts[:2]) or "0 min"


def harm_text(duration: timedelta) -> str:
    """As `short_duration`, and like `duration_text` never less than a minute: for what did happen."""
    return short_duration(max(duration, timedelta(minutes=1)))


def duration_text(duration: timedelta) -> str:
    """`2 days 3 hours`, `1 hour 5 minutes`, `48 minutes`: the two largest units, never less than a minute."""
    minutes = max(1, round(duration.total_seconds() / 60))
    sizes = (("day", minutes // 1440), ("hour", minutes // 60 % 24), ("minute", minutes % 60))
    parts = [f"{count} {unit}{'' if count == 1 else 's'}" for unit, count in sizes if count]
    return " ".join(parts[:2])


def window_text(start: datetime, end: datetime, zone: tzinfo) -> str:
    """`Oct 24, 2026, 02:00 – 04:00 CEST`, in `zone`; the second day and zone only where they differ from the first."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    opening, closing = f"{first:%b %d, %Y, %H:%M}", f"{last:%H:%M %Z}"
    if last.date() != first.date():
        closing = f"{last:%b %d, %Y, %H:%M %Z}"
    if first.tzname() != last.tzname():
        opening += f" {first:%Z}"
    return f"{opening} – {closing}"


def window_text_with_utc(start: datetime, end: datetime, zone: tzinfo) -> str:
    """As `window_text`, with the same window in UTC in brackets, unless `zone` is UTC itself."""
    local, universal = window_text(start, end, zone), window_text(start, end, UTC)
    return local if local == universal else f"{local} ({universal})"


def lead_text(lead: timedelta) -> str:
    """`60 minutes`, `1 day 12 hours`: how soon something begins. Minutes alone up to two hours."""
    minutes = round(lead.total_seconds() / 60)
    return f"{minutes} minutes" if 1 < minutes < 120 else duration_text(lead)


def reschedule_text(
    old: tuple[datetime, datetime], new: tuple[datetime, datetime], zone: tzinfo, *, begun: bool
) -> str:
    """Old and new window, each with UTC beside, on lines of their own."""
    now, before = (window_text_with_utc(*window, zone) for window in (new, old))
    verb = "rescheduled" if not begun else "extended" if new[1] > old[1] else "shortened"
    return f"This maintenance has been {verb}.\n\nNew time: {now}\nOld time: {before}"
