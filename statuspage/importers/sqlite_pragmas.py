"""Commit without waiting for the disk.

A power failure can lose the last transactions, but cannot damage the database.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import connection

# An import that was interrupted is started again and adds what is missing.
_STATEMENTS = {
    "sqlite": ("PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL"),
    "postgresql": ("SET synchronous_commit = off", "RESET synchronous_commit"),
}


@contextlib.contextmanager
def fast_commits() -> Iterator[None]:
    before, after = _STATEMENTS.get(connection.vendor, ("", ""))
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
