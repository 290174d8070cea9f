"""What becomes of an answer: the deadline for all of it, its size, TLS, and peers that speak no HTTP."""

import contextlib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from statuspage.common import outbound_http
from tests.receivers import Receiver, Reply, Talk, listening_peer, responding_with


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8", "::1", "localhost"]


def ask(url: str, *, deadline: float = 5.0, body: bytes = b"{}") -> outbound_http.Response:
    return outbound_http.post(url, body=body, headers={"Content-Type": "application/json"}, deadline=deadline)


def ask_one_that(talk: Talk, *, deadline: float = 5.0, body: bytes = b"{}") -> outbound_http.Response:
    with listening_peer(talk) as peer:
        return ask(f"http://127.0.0.1:{peer.port}/", deadline=deadline, body=body)


def slowly(data: bytes, *, every: float = 0.05) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        for position in range(len(data)):
            connection.sendall(data[position : position + 1])
            time.sleep(every)

    return talk


def silent(connection: socket.socket) -> None:
    time.sleep(5)


def test_what_was_posted_arrives_whole(receiver: Receiver) -> None:
    body = b'{"a": "' + b"x" * 300_000 + b'"}'
    receiver.reply = Reply(201, b"made", {"X-Kind": "test"})
    response = ask(receiver.url("/hook?a=b"), body=body)
    (received,) = receiver.requests
    assert (received.path, received.body) == ("/hook?a=b", body)
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["content-length"] == str(len(body))
    assert (response.status, response.body, response.headers["x-kind"]) == (201, b"made", "test")


def test_an_ipv6_endpoint_is_reached() -> None:
    with listening_peer(responding_with(b"HTTP/1.1 200 OK\r\n\r\nsix"), hosts=("::1",)) as peer:
        assert ask(f"http://[::1]:{peer.port}/").body == b"six"


def test_the_next_address_of_a_name_is_tried_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening_peer(responding_with(b"HTTP/1.1 200 OK\r\n\r\n"), hosts=("127.0.0.2",)) as peer:
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, peer.port)) for a in ("127.0.0.1", "127.0.0.2")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: rows)
        assert ask(f"http://two.example:{peer.port}/").status == 200


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(silent, id="says nothing"),
        pytest.param(slowly(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 99), id="drips its head"),
        pytest.param(slowly(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 900, every=0.02), id="drips"),
    ],
)
def test_a_peer_that_takes_its_time_is_cut_at_the_deadline(talk: Talk) -> None:
    started = time.monotonic()
    with pytest.raises(outbound_http.TooSlow, match=r"No complete response within 0\.4 seconds"):
        ask_one_that(talk, deadline=0.4)
    assert 0.4 <= time.monotonic() - started < 2


def test_a_peer_that_takes_a_byte_a_second_of_a_long_message_is_cut_too() -> None:
    def sip(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(50):
            connection.recv(1)
            time.sleep(0.1)

    with pytest.raises(outbound_http.TooSlow):
        ask_one_that(sip, deadline=0.5, body=b"x" * 30_000_000)


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: time.sleep(3))
    started = time.monotonic()
    with pytest.raises(outbound_http.TooSlow):
        ask("https://slow.example/", deadline=0.3)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("head", [b"", b"Content-Length: 99999999\r\n"])
def test_of_an_endless_answer_no_more_than_64_kilobytes_are_read(head: bytes) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        with contextlib.suppress(OSError):
            while True:
                sent += connection.send(b"x" * 4096)

    response = ask_one_that(flood)
    assert response.status == 200
    assert 60_000 < len(response.body) <= outbound_http.MAX_RESPONSE


def test_an_endless_head_is_cut_off() -> None:
    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(OSError):
            for number in range(90):
                connection.sendall(b"X-%d: " % number + b"y" * 60_000 + b"\r\n")

    with contextlib.suppress(outbound_http.Unreachable):
        assert len(str(ask_one_that(flood).headers)) <= 2 * outbound_http.MAX_RESPONSE


@pytest.mark.parametrize(
    "response",
    [b"", b"\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n", b"220 mail ESMTP\r\n", b"\x00" * 99],
)
def test_a_peer_that_speaks_no_http_is_said_to_be_so(response: bytes) -> None:
    with pytest.raises(outbound_http.Unreachable, match=r"did not respond in HTTP|closed the connection"):
        ask_one_that(responding_with(response))


def test_a_chunked_answer_is_put_together_and_one_that_breaks_off_is_what_came() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n"
    assert ask_one_that(responding_with(chunked + b"0\r\n\r\n")).body == b"abcde"
    assert ask_one_that(responding_with(chunked)).body == b"abcde"


def test_nobody_there_is_said_in_plain_words() -> None:
    with listening_peer() as peer:
        port = peer.port
    with pytest.raises(outbound_http.Unreachable, match=f"127.0.0.1:{port} could not be reached: Connection refused"):
        ask(f"http://127.0.0.1:{port}/")


def test_an_unknown_name_is_said_in_plain_words() -> None:
    with pytest.raises(outbound_http.Unreachable, match=r"The host nosuch\.invalid could not be resolved"):
        ask("https://nosuch.invalid/")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate for `localhost`, signed by itself, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run([*made, *map(str, files)], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "cert.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return both


@pytest.fixture
def secure_port(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 200 OK\r\n\r\nsecure")

    with listening_peer(talk) as peer:
        yield peer.port


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    outbound_http.tls_context.cache_clear()
    yield
    outbound_http.tls_context.cache_clear()


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_a_trusted_authority_for_that_name_is_accepted(secure_port: int) -> None:
    assert ask(f"https://localhost:{secure_port}/").body == b"secure"


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_is_refused(secure_port: int) -> None:
    with pytest.raises(outbound_http.Unreachable, match=r"The certificate of .* is invalid: .*127\.0\.0\.1"):
        ask(f"https://127.0.0.1:{secure_port}/")


def test_a_certificate_that_nobody_trusts_is_refused(secure_port: int) -> None:
    with pytest.raises(outbound_http.Unreachable, match=r"is invalid: self.signed certificate"):
        ask(f"https://localhost:{secure_port}/")


def test_a_peer_that_speaks_no_tls_is_refused(receiver: Receiver) -> None:
    with pytest.raises(outbound_http.Unreachable, match="The TLS connection to"):
        ask(f"https://127.0.0.1:{receiver.port}/")
    assert receiver.requests == []


def test_a_peer_that_never_finishes_the_tls_handshake_is_cut() -> None:
    with listening_peer(silent) as peer, pytest.raises(outbound_http.TooSlow):
        ask(f"https://127.0.0.1:{peer.port}/", deadline=0.3)
