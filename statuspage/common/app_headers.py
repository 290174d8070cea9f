"""The headers in which the front door tells the app about the client's connection. Uses no Django."""

from typing import Any

# The front door removes all headers with this prefix from what clients send.
OWN_PREFIX = "x-candor-"
CLIENT_HEADER = "x-candor-client"
SCHEME_HEADER = "x-candor-scheme"


def take_client(environ: dict[str, Any]) -> None:
    """Take the client's address and scheme from the front door's headers, and remove them from a WSGI environment.

    Only a peer on the Unix socket, which has no address, can be the front door.
    """
    client, scheme = (
        environ.pop(f"HTTP_{name.upper().replace('-', '_')}", "") for name in (CLIENT_HEADER, SCHEME_HEADER)
    )
    if client and not environ.get("REMOTE_ADDR"):
        environ["REMOTE_ADDR"], environ["wsgi.url_scheme"] = client, scheme
