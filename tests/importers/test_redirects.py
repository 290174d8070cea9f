"""Where a key goes when its address redirects."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from statuspage.common import outbound_http
from statuspage.importers.errors import SourceError
from statuspage.importers.fetching import Fetcher
from tests.receivers import Receiver, Reply, listening_peer


@pytest.fixture(autouse=True)
def _loopback_may_be_asked(settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8", "::1/128"]


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """A server's side of TLS, for `localhost`."""
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run([*made, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    outbound_http.tls_context.cache_clear()
    yield context
    outbound_http.tls_context.cache_clear()


def keyed() -> Fetcher:
    return Fetcher(rate=0, headers={"Authorization": "OAuth sesame"}, sleep=lambda _: None)


def test_a_key_does_not_follow_from_https_to_http(trusted: ssl.SSLContext) -> None:
    received: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        with trusted.wrap_socket(connection, server_side=True) as secured:
            received.append(secured.recv(65536))
            secured.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://localhost:%d/y\r\n\r\n" % peer.port)

    with (
        listening_peer(talk) as peer,
        pytest.raises(SourceError, match="where the key would be sent without encryption"),
    ):
        keyed().json(f"https://localhost:{peer.port}/x")
    assert peer.connections == len(received) == 1
    assert b"sesame" in received[0]


def test_a_key_does_not_follow_to_another_host(receiver: Receiver) -> None:
    receiver.replies = {"/x": Reply(302, headers={"Location": f"http://localhost:{receiver.port}/y"})}
    with pytest.raises(SourceError, match=r"redirects to localhost:\d+: use that address instead"):
        keyed().json(receiver.url("/x"))
    assert [request.path for request in receiver.requests] == ["/x"]


def test_a_key_follows_from_http_to_https_on_the_same_host(trusted: ssl.SSLContext) -> None:
    received: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        """Both at one port, as the first byte tells: of TLS it is always 22."""
        if connection.recv(1, socket.MSG_PEEK) != b"\x16":
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 301 Moved\r\nLocation: https://LOCALHOST:%d/y\r\n\r\n" % peer.port)
            return
        with trusted.wrap_socket(connection, server_side=True) as secured:
            received.append(secured.recv(65536))
            secured.sendall(b"HTTP/1.1 200 OK\r\n\r\n[]")

    with listening_peer(talk) as peer:
        assert keyed().json(f"http://localhost:{peer.port}/x") == []
    assert b"sesame" in received[0]
