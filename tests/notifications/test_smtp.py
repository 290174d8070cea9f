"""Talking to mail servers of many kinds: with and without PIPELINING, TLS, log-in, patience."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from incidents.models import Page
from statuspage.dispatcher.loop import drain
from statuspage.notifications.models import ChannelState, Delivery
from tests.factories import make_incident, make_subscriber
from tests.notifications.mailbox import use_server
from tests.servers import SmtpSink, free_port
from tests.smtp_sink_process import FastSink

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # The whole connection is encrypted there, which aiosmtpd does not see.
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
]


@pytest.fixture
def fast(fast_sink: FastSink, settings: Settings) -> FastSink:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", fast_sink.port
    return fast_sink


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1, signed by itself; key and certificate in one file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "-", "-out", "-"]
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    return path


def publish(page: Page, subscribers: int = 60) -> None:
    for _ in range(subscribers):
        make_subscriber(page)
    make_incident(page)


def assert_all_told(sink: FastSink, subscribers: int = 60) -> None:
    stat = sink.stat()
    assert stat["mails"] == stat["readers"] == stat["ids"] == subscribers
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_a_server_without_pipelining_receives_one_command_at_a_time(page: Page, fast: FastSink) -> None:
    fast.set(pipelining=0, impatient=1)
    publish(page)
    drain()
    assert_all_told(fast)


def test_rejections_between_accepted_emails_are_assigned_correctly(page: Page, fast: FastSink) -> None:
    for pipelining in (1, 0):
        fast.set(pipelining=pipelining, refuse=0.3, ask_all_the_same=pipelining)
        publish(page)
    drain()
    stat = fast.stat()
    failed = Delivery.objects.filter(state="failed").count()
    assert 0 < failed < Delivery.objects.count()
    assert stat["mails"] == stat["ids"] == Delivery.objects.filter(state="sent").count()
    # Whoever was refused the first time was not tried again.
    cancelled = Delivery.objects.filter(state="cancelled").count()
    assert Delivery.objects.count() == stat["mails"] + failed + cancelled


def test_more_connections_are_opened_for_more_mails_up_to_the_limit(
    page: Page, fast: FastSink, settings: Settings
) -> None:
    settings.SMTP_CONNECTIONS = 3
    fast.set(latency=0.02)
    make_subscriber(page)
    make_incident(page)
    drain()
    assert fast.stat()["connections"] == 1
    fast.reset()
    publish(page, subscribers=199)
    drain()
    assert fast.stat()["connections"] == 2, "the first one is still open"
    assert fast.stat()["mails"] == 200


def test_a_server_that_allows_fewer_connections_gets_fewer(page: Page, fast: FastSink, settings: Settings) -> None:
    settings.SMTP_CONNECTIONS = 8
    fast.set(latency=0.01, most_connections=2)
    publish(page, subscribers=200)
    drain()
    assert_all_told(fast, subscribers=200)
    assert not ChannelState.objects.in_trouble().exists()


def test_big_mails_arrive_whole(page: Page, fast: FastSink) -> None:
    for _ in range(20):
        make_subscriber(page)
    make_incident(page, body="日本 " * 8000)
    drain()
    stat = fast.stat()
    assert stat["mails"] == stat["ids"] == 20
    assert stat["octets"] > 20 * 2 * 7 * 8000  # text and HTML, seven octets for each word and its blank


class Guarded(SmtpSink):
    """Takes mail after a log-in over TLS only. `mode`: starttls or ssl."""

    def __init__(self, certificate: Path, mode: str) -> None:
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult, LoginPassword

        self.emails, self.refuse, self.sessions = [], {}, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

        def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> Any:
            expected = LoginPassword(b"candor", b"correct horse")
            return AuthResult(success=data == expected, handled=False)

        tls: dict[str, Any] = {"tls_context": context, "require_starttls": True}
        if mode == "ssl":
            tls = {"ssl_context": context, "auth_require_tls": False}
        self.controller = Controller(
            self, hostname="127.0.0.1", port=free_port(), authenticator=check, auth_required=True, **tls
        )


@pytest.fixture(params=["starttls", "ssl"])
def guarded(
    request: pytest.FixtureRequest, certificate: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Guarded]:
    # OpenSSL reads it whenever a context loads the machine's authorities.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    sink = Guarded(certificate, request.param)
    use_server(settings, sink.controller.port)
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = request.param == "starttls", request.param == "ssl"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "candor", "correct horse"
    sink.start()
    yield sink
    sink.stop()


def test_mails_travel_encrypted_and_logged_in(page: Page, guarded: Guarded) -> None:
    publish(page)
    drain()
    assert len({email.recipient for email in guarded.emails}) == len(guarded.emails) == 60
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_an_untrusted_certificate_stops_sending(page: Page, guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    publish(page, subscribers=1)
    drain()
    assert guarded.emails == []
    assert "certificate verify failed" in ChannelState.objects.get().last_error
    assert Delivery.objects.get().attempts == 0


def test_a_wrong_password_pauses_the_channel(page: Page, guarded: Guarded, settings: Settings) -> None:
    settings.EMAIL_HOST_PASSWORD = "wrong"
    publish(page, subscribers=1)
    drain()
    assert guarded.emails == []
    assert "535" in ChannelState.objects.get().last_error
    assert Delivery.objects.get().attempts == 0
