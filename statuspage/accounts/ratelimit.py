"""How often something may be done, counted in the database: it must not need Redis, and every process must see it.

Windows are fixed (every `per_seconds` since 1970), so that one statement counts and decides, whoever else counts.
"""

import time

from django.db import connection
from django.db.models import F

from statuspage.accounts.models import RateCount

KEPT_SECONDS = 2 * 24 * 3600

# The same on PostgreSQL and SQLite; the ORM cannot say RETURNING for an upsert.
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
    """Take one use of `key` back: it turned out not to be what is limited."""
    RateCount.objects.filter(key=key, window=_window(per_seconds), count__gt=0).update(count=F("count") - 1)


def retry_after(per_seconds: int) -> int:
    """Seconds until the present window ends."""
    return max(1, _window(per_seconds) + per_seconds - int(time.time()))


def sweep() -> None:
    """Forget windows that are long over. The dispatcher calls it now and then."""
    RateCount.objects.filter(window__lt=int(time.time()) - KEPT_SECONDS).delete()


def _window(per_seconds: int) -> int:
    return int(time.time()) // per_seconds * per_seconds
