"""Sentences about incidents that pages, mails and feeds share. Pure functions."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby

from incidents.models import Component


def affected_sentence(components: Iterable[Component]) -> str:
    """`This incident affected: Public APIs (REST API), Website.` Groups with members in brackets, then loose ones.

    `components` come in page order; an empty string if there are none.
    """
    ordered = list(components)
    grouped = groupby((c for c in ordered if c.group), key=lambda c: c.group.name if c.group else "")
    phrases = [f"{name} ({', '.join(c.name for c in members)})" for name, members in grouped]
    phrases += [c.name for c in ordered if not c.group]
    return f"This incident affected: {', '.join(phrases)}." if phrases else ""


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


def duration_text(duration: timedelta) -> str:
    """`2 days 3 hours`, `1 hour 5 minutes`, `48 minutes`: the two largest units, never less than a minute."""
    minutes = max(1, round(duration.total_seconds() / 60))
    sizes = (("day", minutes // 1440), ("hour", minutes // 60 % 24), ("minute", minutes % 60))
    parts = [f"{count} {unit}{'' if count == 1 else 's'}" for unit, count in sizes if count]
    return " ".join(parts[:2])
