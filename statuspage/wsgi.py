"""The WSGI application: Django, told by the front door who the client is."""

import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "statuspage.settings")

from django.core.wsgi import get_wsgi_application

from statuspage.common.app_headers import CLIENT_HEADER, SCHEME_HEADER

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

CLIENT, SCHEME = (f"HTTP_{name.upper().replace('-', '_')}" for name in (CLIENT_HEADER, SCHEME_HEADER))

_django = get_wsgi_application()


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Take the client's address from the front door. Only a peer on the Unix socket, which has none, can be it."""
    client, scheme = environ.pop(CLIENT, ""), environ.pop(SCHEME, "")
    if not environ.get("REMOTE_ADDR") and client:
        environ["REMOTE_ADDR"], environ["wsgi.url_scheme"] = client, scheme
    return _django(environ, start_response)
