"""The time by the clock of the database, which decides what is due on every machine.

A process that called `synchronize` counts on from the database's time with the monotonic clock: a wrong clock of its
machine, or one that is set meanwhile, changes nothing. Without PostgreSQL, both clocks are the machine's.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

_anchor: tuple[datetime, float] | None = None


def now() -> datetime:
    """Return the database's time if this process was synchronized, else the machine's."""
    if _anchor is None:
        return timezone.now()
    at, counter = _anchor
    return at + timedelta(seconds=time.monotonic() - counter)


def synchronize() -> timedelta:
    """Read the database's clock. Return how far the machine's clock is ahead of it (negative: behind)."""
    global _anchor
    if connection.vendor != "postgresql":
        return timedelta(0)
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    ended = time.monotonic()
    _anchor = at, (began + ended) / 2
    return timezone.now() - now()


def forget() -> None:
    """Use the machine's clock again. For tests, which move it."""
    global _anchor
    _anchor = None
