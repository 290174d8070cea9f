"""How long the app waits for the database. Management commands, the dispatcher and workers have no such limits."""

from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# The shortest that libpq accepts.
CONNECT_SECONDS = 2
# A statement that waits for a lock fails with the error that names the lock.
STATEMENT_EXTRA_SECONDS = 1


def limit_database_waits() -> None:
    """Limit the waits of this process. Call it before the first connection is opened."""
    database = connections["default"]
    options = database.settings_dict.setdefault("OPTIONS", {})
    if database.vendor == "sqlite":
        options["timeout"] = settings.DATABASE_TIMEOUT
    else:
        options["connect_timeout"] = CONNECT_SECONDS
        connection_created.connect(set_timeouts, dispatch_uid="database_limits")


def set_timeouts(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Set lock_timeout and statement_timeout. Connection poolers reject them as startup options."""
    lock = settings.DATABASE_TIMEOUT * 1000
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false)",
            [str(lock), str(lock + STATEMENT_EXTRA_SECONDS * 1000)],
        )
