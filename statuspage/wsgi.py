"""The WSGI application of the app processes: Django, told by the front door who the client is."""

import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "statuspage.settings")

from django.core.wsgi import get_wsgi_application
from django.db import connection

from statuspage.common.app_headers import take_client
from statuspage.common.database_limits import limit_database_waits

# Seconds for which a thread keeps its connection.
KEEP_CONNECTION = 600

_django = get_wsgi_application()
limit_database_waits()
if connection.vendor != "sqlite":
    # Shared by the connections of all threads. SQLite's file can be replaced, so each request opens it again.
    connection.settings_dict |= {"CONN_MAX_AGE": KEEP_CONNECTION, "CONN_HEALTH_CHECKS": True}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    take_client(environ)
    return _django(environ, start_response)
