"""Sentences and dates that pages, emails and feeds share. Pure functions."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Protocol

from incidents.models.states import Kind, Status

# The body of an update without a text.
DEFAULT_BODIES = {
    Status.INVESTIGATING: "We are investigating this issue.",
    Status.IDENTIFIED: "The issue has been identified.",
    Status.MONITORING: "A fix has been implemented and we are monitoring the results.",
    Status.RESOLVED: "This incident has been resolved.",
    Status.SCHEDULED: "This maintenance is scheduled.",
    Status.IN_PROGRESS: "The scheduled maintenance is in progress.",
    Status.VERIFYING: "The work is complete and is being verified.",
    Status.COMPLETED: "The scheduled maintenance has been completed.",
}
MAINTENANCE_STARTED = "The scheduled maintenance has started."
MAINTENANCE_COMPLETED = "The scheduled maintenance has been completed."
MAINTENANCE_CANCELED = "This maintenance has been canceled and will not take place."
MAINTENANCE_CUT_SHORT = "This maintenance was canceled before its end."
SERIES_CHANGED = "The dates of this recurring maintenance have changed. It will not take place on this date."


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _Component(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def group(self) -> _Named | None: ...


def affected_sentence(components: Iterable[_Component], *, kind: str = Kind.INCIDENT) -> str:
    """Return `This incident affected: Public APIs (REST API), Website.`, empty without components.

    Groups come first, then components without a group. `components` are in page order. For a maintenance the sentence
    starts with `This maintenance affects: `.
    """
    ordered = list(components)
    grouped = groupby((c for c in ordered if c.group), key=lambda c: c.group.name if c.group else "")
    phrases = [f"{name} ({', '.join(c.name for c in members)})" for name, members in grouped]
    phrases += [c.name for c in ordered if not c.group]
    opening = "This maintenance affects" if kind == Kind.MAINTENANCE else "This incident affected"
    return f"{opening}: {', '.join(phrases)}." if phrases else ""


def moment_text(moment: datetime, zone: tzinfo) -> str:
    """Return `Sep 22, 2022 - 19:35 UTC`, in `zone` (contract section 2.3)."""
    return f"{moment.astimezone(zone):%b %d, %Y - %H:%M %Z}"


def moment_with_utc(moment: datetime, zone: tzinfo) -> str:
    """Return `Sep 22, 2022 - 21:35 CEST (19:35 UTC)`. UTC has its date if it differs; a zone at UTC is not repeated."""
    utc, local = moment.astimezone(UTC), moment.astimezone(zone)
    if not local.utcoffset():
        return moment_text(moment, UTC)
    utc_text = f"{utc:%H:%M} UTC" if utc.date() == local.date() else f"{utc:%b %d, %H:%M} UTC"
    return f"{moment_text(moment, zone)} ({utc_text})"


def machine_time(moment: datetime) -> str:
    """Return the time for `<time datetime>`: UTC to the second with `Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def short_duration(duration: timedelta) -> str:
    """Return `2 d 3 h`, `1 h 5 min`, `48 min` or `0 min`: the two largest units, for tables and charts."""
    minutes = round(duration.total_seconds() / 60)
    sizes = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    parts = [f"{count} {unit}" for count, unit in sizes if count]
    return " ".join(parts[:2]) or "0 min"


def impact_duration_text(duration: timedelta) -> str:
    """Return `short_duration`, but at least one minute, for an impact that happened."""
    return short_duration(max(duration, timedelta(minutes=1)))


def duration_text(duration: timedelta) -> str:
    """Return `2 days 3 hours`, `1 hour 5 minutes` or `48 minutes`: the two largest units, at least one minute."""
    minutes = max(1, round(duration.total_seconds() / 60))
    sizes = (("day", minutes // 1440), ("hour", minutes // 60 % 24), ("minute", minutes % 60))
    parts = [f"{count} {unit}{'' if count == 1 else 's'}" for unit, count in sizes if count]
    return " ".join(parts[:2])


def window_text(start: datetime, end: datetime, zone: tzinfo) -> str:
    """Return `Oct 24, 2026, 02:00 – 04:00 CEST`, in `zone`. The end has a date, the start a zone, if they differ."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    opening, closing = f"{first:%b %d, %Y, %H:%M}", f"{last:%H:%M %Z}"
    if last.date() != first.date():
        closing = f"{last:%b %d, %Y, %H:%M %Z}"
    if first.tzname() != last.tzname():
        opening += f" {first:%Z}"
    return f"{opening} – {closing}"


def window_text_with_utc(start: datetime, end: datetime, zone: tzinfo) -> str:
    """Return `window_text` with the same window in UTC in brackets, unless `zone` is UTC."""
    local, universal = window_text(start, end, zone), window_text(start, end, UTC)
    return local if local == universal else f"{local} ({universal})"


def lead_text(lead: timedelta) -> str:
    """Return how soon something starts: `60 minutes`, `1 day 12 hours`. Only minutes up to two hours."""
    minutes = round(lead.total_seconds() / 60)
    return f"{minutes} minutes" if 1 < minutes < 120 else duration_text(lead)


def reschedule_text(
    old: tuple[datetime, datetime], new: tuple[datetime, datetime], zone: tzinfo, *, begun: bool
) -> str:
    """Return the body of the update for a changed window, with the old and the new one."""
    new_text, old_text = (window_text_with_utc(*window, zone) for window in (new, old))
    verb = "rescheduled" if not begun else "extended" if new[1] > old[1] else "shortened"
    return f"This maintenance has been {verb}.\n\nNew time: {new_text}\nOld time: {old_text}"
