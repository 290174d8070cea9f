"""The test mail: every step's outcome in plain words, against real servers."""

import io
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from django.test import Client
from pytest_django import Settings

from incidents.models import AuditEntry, Page
from statuspage.console.channels.deliverability import Check, checklist
from statuspage.notifications import mail_test
from statuspage.notifications.bounces.inbound import receive
from statuspage.notifications.mail_test import SmtpTestStep
from statuspage.notifications.models import MailTest
from tests.console.staff import fill_in, invalid_controls, parsed_page, signed_in
from tests.factories import make_page
from tests.notifications.mailbox import SenderRefusingSink, parsed, part
from tests.notifications.returned_mail import POSTFIX, returned
from tests.servers import SmtpSink, free_port

pytestmark = pytest.mark.django_db(transaction=True)

TO = "owner@example.org"
PATH = "/console/p/acme/mail-test"


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def sink(smtp_sink: SmtpSink, settings: Settings) -> SmtpSink:
    lead_to(settings, smtp_sink.controller.port)
    return smtp_sink


def lead_to(settings: Settings, port: int, **more: Any) -> None:
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    for name, value in more.items():
        setattr(settings, name, value)


def steps(page: Page) -> list[SmtpTestStep]:
    return mail_test.run(MailTest.objects.create(page=page, to=TO))


def last(page: Page) -> SmtpTestStep:
    return steps(page)[-1]


def states(results: list[SmtpTestStep]) -> dict[str, str]:
    return {step.name: step.state for step in results}


def send(owner: Client, to: str = TO) -> Any:
    """Press the button, and look again when the test has ended."""
    answer = owner.post(PATH, fill_in(owner, PATH, to=to))
    mail_test.wait_until_done()
    return answer if answer.status_code != 302 else owner.get(answer["Location"])


def test_an_owner_sends_one_and_reads_how_each_step_went(page: Page, sink: SmtpSink) -> None:
    owner = signed_in("owner")
    text = parsed_page(send(owner)).one("main").text
    assert "The mail server accepted the email." in text
    assert f"{TO} is accepted: 250 OK" in text
    assert "Last response: 250 OK" in text
    (received,) = sink.emails
    message = parsed(received.raw)
    assert (received.recipient, received.sender) == (TO, "status@localhost")
    assert message["Subject"] == "[Acme] Test mail"
    assert message["From"] == "Acme <status@localhost>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Feedback-ID"] == f"test:{page.public_id}:test:candor"
    assert "Authentication-Results" in part(message, "plain")
    assert "Authentication-Results" in part(message, "html")
    entry = AuditEntry.objects.get(verb="mail.tested")
    assert TO not in str((entry.details, entry.object_ref))


def test_the_form_begins_with_the_owners_own_address(page: Page, sink: SmtpSink) -> None:
    owner = signed_in("owner", email="boss@example.org")
    assert fill_in(owner, PATH)["to"] == ["boss@example.org"]


def test_a_wrong_address_is_refused_beside_its_field(page: Page, sink: SmtpSink) -> None:
    answer = send(signed_in("owner"), to="nobody")
    assert answer.status_code == 422
    (control,) = invalid_controls(parsed_page(answer))
    assert control.attributes["value"] == "nobody"
    assert not MailTest.objects.exists()


def test_twenty_an_hour_are_enough(page: Page, settings: Settings, sink: SmtpSink) -> None:
    owner = signed_in("owner")
    answers = [send(owner) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [422]
    assert "Try again later" in parsed_page(answers[-1]).one("main").text
    assert len(sink.emails) == 20


def test_one_test_runs_at_a_time(page: Page, sink: SmtpSink) -> None:
    MailTest.objects.create(page=page, to=TO)
    answer = send(signed_in("owner"))
    assert answer.status_code == 422
    assert "A test is still running." in parsed_page(answer).one("main").text
    assert sink.emails == []


def test_while_it_runs_the_page_asks_again_and_afterwards_it_stops(page: Page, sink: SmtpSink) -> None:
    owner = signed_in("owner")
    test = MailTest.objects.create(page=page, to=TO)
    running = owner.get(PATH, headers={"hx-request": "true"}).content.decode()
    assert 'hx-trigger="every 1s"' in running
    assert "<html" not in running
    assert "Refresh" in running
    MailTest.objects.finish(test.pk, [{"name": "Connection", "state": "failed", "message": "No."}])
    done = owner.get(PATH, headers={"hx-request": "true"}).content.decode()
    assert "hx-trigger" not in done
    assert "See the first failed step." in done


def test_a_test_that_was_cut_off_says_so(page: Page, sink: SmtpSink) -> None:
    test = MailTest.objects.create(page=page, to=TO)
    MailTest.objects.filter(pk=test.pk).update(started_at="2022-09-21T14:14Z")
    assert "This test was interrupted" in parsed_page(signed_in("owner").get(PATH)).one("main").text


def test_without_a_mail_server_it_becomes_a_file(page: Page, settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_URL, settings.MAIL_DIR = "", tmp_path
    settings.EMAIL_BACKEND = "statuspage.notifications.transports.eml_files.EmlBackend"
    text = parsed_page(send(signed_in("owner"))).one("main").text
    assert "The email was written to a file and not sent" in text
    assert len(list(tmp_path.glob("*.eml"))) == 1


def test_a_test_mail_that_comes_back_says_so(page: Page, sink: SmtpSink, settings: Settings) -> None:
    settings.BOUNCE_ADDRESS = "bounce@localhost"
    owner = signed_in("owner")
    send(owner)
    raw = returned(POSTFIX, sink.emails[0].sender)
    assert receive(io.BytesIO(raw)) == "permanently rejected 5.1.1: a test email"
    text = parsed_page(owner.get(PATH)).one("main").text
    assert "but it bounced. Permanently rejected: 550 5.1.1" in text


def test_where_nothing_listens_it_says_so(page: Page, settings: Settings) -> None:
    port = free_port()
    lead_to(settings, port)
    step = last(page)
    assert (step.name, step.state) == ("Connection", "failed")
    assert step.message.startswith(f"127.0.0.1:{port} refused the connection.")


def test_a_name_that_nobody_has_is_named(page: Page, settings: Settings) -> None:
    lead_to(settings, 25, EMAIL_HOST="mail.invalid..")
    assert last(page).state == "failed"


def test_a_refused_recipient_keeps_the_servers_words(page: Page, sink: SmtpSink) -> None:
    sink.refuse[TO] = "550 5.1.1 No such user"
    results = steps(page)
    assert results[-1] == SmtpTestStep("Recipient", "failed", "Refused: 550 5.1.1 No such user")
    assert states(results)["Sender"] == "ok"


def test_a_refused_sender_keeps_the_servers_words(page: Page, settings: Settings) -> None:
    strict = SenderRefusingSink()
    strict.start()
    lead_to(settings, strict.controller.port)
    assert last(page) == SmtpTestStep("Sender", "failed", "Refused: 553 5.7.1 Sender address rejected")
    strict.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """For 127.0.0.1, signed by itself; key and certificate in one file."""
    file = tmp_path / "mail.pem"
    options = ["-newkey", "rsa:2048", "-nodes", "-x509", "-days", "2", "-subj", "/CN=127.0.0.1"]
    options += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", str(tmp_path / "cert.pem")]
    subprocess.run(["openssl", "req", *options], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    return file


class Secure(SmtpSink):
    """Wants TLS, then a log-in with the password `right`."""

    def __init__(self, certificate: Path) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        super().__init__(tls_context=context, auth_required=True, authenticator=self.authenticate)

    def authenticate(self, _server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password == b"right"
        return AuthResult(success=right, handled=False)


@pytest.fixture
def secure(certificate: Path, settings: Settings) -> Iterator[SmtpSink]:
    sink = Secure(certificate)
    sink.start()
    credentials = {"EMAIL_HOST_USER": "candor", "EMAIL_HOST_PASSWORD": "right"}
    lead_to(settings, sink.controller.port, EMAIL_USE_TLS=True, **credentials)
    yield sink
    sink.stop()


def test_encryption_and_log_in_are_steps_of_their_own(
    page: Page, secure: SmtpSink, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    results = steps(page)
    assert set(states(results).values()) == {"ok"}
    assert results[1].message.startswith("Encrypted with a valid certificate: TLSv1")
    assert len(secure.emails) == 1


def test_a_wrong_password_fails_at_the_log_in(
    page: Page, secure: SmtpSink, certificate: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    settings.EMAIL_HOST_PASSWORD = "wrong"
    step = last(page)
    assert (step.name, step.state, step.message[:12]) == ("Sign-in", "failed", "Refused: 535")
    assert "wrong" not in step.message


def test_a_certificate_that_nobody_vouches_for_is_refused(page: Page, secure: SmtpSink) -> None:
    step = last(page)
    assert (step.name, step.state) == ("Encryption", "failed")
    assert step.message.startswith("The certificate is not valid for 127.0.0.1:")


def test_a_server_without_tls_that_is_asked_for_it_is_named(page: Page, sink: SmtpSink, settings: Settings) -> None:
    settings.EMAIL_USE_TLS = True
    assert last(page).message == "The server does not support this: STARTTLS extension not supported by server."


def test_an_unencrypted_port_that_is_spoken_tls_to_says_which_url_to_write(
    page: Page, sink: SmtpSink, settings: Settings
) -> None:
    settings.EMAIL_USE_SSL = True
    assert "Use smtp+ssl:// in EMAIL_URL for port 465, and smtp+tls:// for 587 and 25." in last(page).message


def test_a_server_that_drips_is_left_when_time_is_up(
    page: Page, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_test, "DEADLINE", 1.0)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip, args=(server, over), daemon=True)
        dripping.start()
        lead_to(settings, server.getsockname()[1])
        assert last(page) == SmtpTestStep("Connection", "failed", "No complete response within 1 seconds.")
        over.set()
        dripping.join()


def drip(server: socket.socket, over: threading.Event) -> None:
    client, _ = server.accept()
    with client:
        while not over.wait(0.1):
            try:
                client.sendall(b"2")
            except OSError:
                return


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_the_checklist_of_a_fresh_install_says_what_to_set(settings: Settings) -> None:
    checks = by_name(checklist())
    assert {name for name, check in checks.items() if check.state == "warning"} == {
        "Sender",
        "Bounces",
        "One-click unsubscribe",
        "Mail server",
    }
    assert "MAIL_FROM is status@localhost" in checks["Sender"].text


def test_the_checklist_writes_the_records_to_publish(settings: Settings) -> None:
    lead_to(settings, 587, EMAIL_HOST="mail.example.net", EMAIL_USE_TLS=True)
    settings.DEFAULT_FROM_EMAIL = "Acme <status@example.com>"
    settings.BOUNCE_ADDRESS = "bounce@mail.example.com"
    settings.SITE_URL = "https://status.example.com"
    checks = by_name(checklist())
    assert checks["SPF"].record == 'mail.example.com. TXT "v=spf1 a:mail.example.net -all"'
    assert checks["DMARC"].record.startswith("_dmarc.example.com. TXT ")
    assert {check.state for check in checks.values()} == {"ok", "look"}


def test_a_return_path_of_another_domain_is_warned_of(settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "status@example.com"
    settings.BOUNCE_ADDRESS = "bounce@notexample.com"
    assert by_name(checklist())["Bounces"].state == "warning"


def test_a_password_that_goes_unencrypted_is_warned_of(settings: Settings) -> None:
    lead_to(settings, 25, EMAIL_HOST_USER="candor")
    assert by_name(checklist())["Mail server"].state == "warning"


def test_a_provider_without_its_secret_is_warned_of(settings: Settings) -> None:
    settings.EMAIL_PROVIDER = "postmark"
    assert "ANYMAIL_WEBHOOK_SECRET is not" in by_name(checklist())["Bounces"].text
    settings.ANYMAIL_WEBHOOK_SECRET = "candor:secret"
    assert by_name(checklist())["Bounces"] == Check("Bounces", "ok", "Postmark reports bounces and complaints.")
