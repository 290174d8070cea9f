"""The app takes the client's address from the front door only."""

from typing import Any

from statuspage.common.app_headers import take_client

FROM_FRONT_DOOR = {"HTTP_X_CANDOR_CLIENT": "203.0.113.9", "HTTP_X_CANDOR_SCHEME": "https"}


def test_the_front_door_on_the_unix_socket_is_trusted() -> None:
    environ: dict[str, Any] = {"REMOTE_ADDR": "", "wsgi.url_scheme": "http", **FROM_FRONT_DOOR}
    take_client(environ)
    assert environ == {"REMOTE_ADDR": "203.0.113.9", "wsgi.url_scheme": "https"}


def test_a_client_that_reaches_the_app_directly_is_not() -> None:
    environ: dict[str, Any] = {"REMOTE_ADDR": "192.0.2.7", "wsgi.url_scheme": "http", **FROM_FRONT_DOOR}
    take_client(environ)
    assert environ == {"REMOTE_ADDR": "192.0.2.7", "wsgi.url_scheme": "http"}
