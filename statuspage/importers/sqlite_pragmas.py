"""Commits that do not wait for the disk: thousands in a row, of which the last few may be lost with the power."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import connection

# The database stays whole either way; an import that was cut off is started again and finds what is missing.
_FASTER = {
    "sqlite": ("PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL"),
    "postgresql": ("SET synchronous_commit = off", "RESET synchronous_commit"),
}


@contextlib.contextmanager
def quick_commits() -> Iterator[None]:
    before, after = _FASTER.get(connection.vendor, ("", ""))
    if not before or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(before)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(after)
