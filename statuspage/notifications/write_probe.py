"""Whether the database accepts a write. A real one, so that a full disk or a read-only replica is noticed."""

from __future__ import annotations

import threading
import time

from django.db import Error as DatabaseTrouble
from django.db import connection, transaction

from statuspage.notifications.models import Heartbeat
from statuspage.notifications.models.heartbeats import PROBE

TIMEOUT_MS = 1_000
# However often /readyz is requested, the database is written at most once in so many seconds.
CACHED_SECONDS = 1.0

_lock = threading.Lock()
_last: tuple[float, bool] = (-CACHED_SECONDS, False)


def can_write() -> bool:
    """Return whether a row can be written within TIMEOUT_MS."""
    global _last
    with _lock:
        at, result = _last
        if time.monotonic() - at >= CACHED_SECONDS:
            _last = time.monotonic(), (result := _write())
        return result


def _write() -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(f"SET LOCAL lock_timeout = {TIMEOUT_MS}")
                cursor.execute(f"SET LOCAL statement_timeout = {TIMEOUT_MS}")
            Heartbeat.objects.beat(PROBE, instance=PROBE)
    except DatabaseTrouble:
        return False
    return True
