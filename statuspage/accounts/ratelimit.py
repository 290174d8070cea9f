"""Rate limits, counted in the database: they work without Redis and apply across all processes.

Windows are fixed (every `per_seconds` since 1970), so one atomic statement counts and decides.
"""

import time

from django.db import connection
from django.db.models import F, QuerySet

from statuspage.accounts.models import RateCount

RETENTION_SECONDS = 2 * 24 * 3600

# Works on PostgreSQL and SQLite. The ORM has no upsert with RETURNING.
_COUNT_ONE = """
    INSERT INTO accounts_ratecount ("key", "window", "count") VALUES (%s, %s, 1)
    ON CONFLICT ("key", "window") DO UPDATE SET "count" = accounts_ratecount."count" + 1
    RETURNING "count"
"""


def allow(key: str, limit: int, per_seconds: int) -> bool:
    """Count one more use of `key` (at most 120 characters); False if that makes more than `limit` in this window."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_ONE, [key, _window(per_seconds)])
        (count,) = cursor.fetchone()
    return bool(count <= limit)


def refund(key: str, per_seconds: int) -> None:
    """Subtract one use of `key`, for an attempt that should not have counted."""
    RateCount.objects.filter(key=key, window=_window(per_seconds), count__gt=0).update(count=F("count") - 1)


def retry_after(per_seconds: int) -> int:
    """Return the seconds until the current window ends."""
    return max(1, _window(per_seconds) + per_seconds - int(time.time()))


def expired() -> QuerySet[RateCount]:
    """Return the counts of expired windows."""
    return RateCount.objects.filter(window__lt=int(time.time()) - RETENTION_SECONDS)


def _window(per_seconds: int) -> int:
    return int(time.time()) // per_seconds * per_seconds
