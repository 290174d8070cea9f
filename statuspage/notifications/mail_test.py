"""Send a test email to staff and record each step, so that the person who sets up email sees which step fails."""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from email.utils import format_datetime, formataddr, make_msgid, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.utils import DNS_NAME
from django.db import connection, transaction
from django.template.loader import render_to_string

from incidents import clock
from incidents.actor import Actor
from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.common.signing import sign_number
from statuspage.common.urls import absolute_url
from statuspage.notifications.messages.email import feedback_id, inlined, one_line, sender_address
from statuspage.notifications.messages.return_path import MAIL_TEST, provider_headers, return_path
from statuspage.notifications.models import MailTest
from statuspage.notifications.transports.smtp.envelope import message_bytes

logger = logging.getLogger(__name__)

# For all steps together. A timeout per response does not stop a server that sends one byte per second.
DEADLINE = 30.0
_MESSAGE_LENGTH = 500
_SCHEMES = "Use smtp+ssl:// in EMAIL_URL for port 465, and smtp+tls:// for 587 and 25."

# One test at a time, outside the request: a slow mail server must not block the web process.
_executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail-test")


@dataclass(frozen=True)
class SmtpTestStep:
    """One step of the test.

    `state` is ok, warning, look (staff have to decide), failed or skipped. `message` is the server's answer or advice.
    """

    name: str
    state: str
    message: str


@transaction.atomic
def start(page: Page, to: str, *, actor: Actor) -> MailTest:
    """Start a test. The returned row shows its progress."""
    test = MailTest.objects.create(page=page, to=to)
    note(page, "mail.tested", actor=actor, object_type="mail_test", object_ref=str(test.pk))
    transaction.on_commit(lambda: _executor.submit(_run, test))
    return test


def wait_until_done() -> None:
    """Wait until all tests that were started have ended."""
    _executor.submit(lambda: None).result()


def _run(test: MailTest) -> None:
    try:
        steps = run(test)
        MailTest.objects.finish(test.pk, [asdict(step) for step in steps])
    except Exception:
        logger.exception("A mail test was interrupted.")
    finally:
        connection.close()


def run(test: MailTest) -> list[SmtpTestStep]:
    """Send the test email and return its steps. Takes up to DEADLINE seconds plus the DNS lookup."""
    message = build(test)
    if not settings.EMAIL_URL:
        get_connection().send_messages([message])
        return [
            SmtpTestStep(
                "Mail server", "warning", "No mail server is set. The email was written to a file and not sent."
            )
        ]
    return SmtpTest(message, test.to).steps()


def build(test: MailTest) -> EmailMultiAlternatives:
    """Compose the test email, with the same headers as every email except those about subscriptions."""
    page, token = test.page, sign_number(MAIL_TEST, test.pk)
    context = {"page": page, "subject": f"[{one_line(page.name)}] Test mail", "home_url": absolute_url(page, "/")}
    sender = formataddr((one_line(page.name), sender_address()))
    headers = {
        "From": sender,
        "Message-ID": make_msgid(domain=sender_address().rpartition("@")[2] or "localhost"),
        "Date": format_datetime(clock.now()),
        "Auto-Submitted": "auto-generated",
        "Feedback-ID": feedback_id("test", page, "test"),
    } | provider_headers(token)
    text = render_to_string("notifications/email/test.txt", context).strip() + "\n"
    envelope_from = return_path(token) or sender
    message = EmailMultiAlternatives(str(context["subject"]), text, envelope_from, [test.to], headers=headers)
    message.attach_alternative(inlined(render_to_string("notifications/email/test.html", context)), "text/html")
    return message


class _Stopped(Exception):
    """A step failed, so the steps after it are not run."""


class SmtpTest:
    """One SMTP session with the mail server, limited to DEADLINE."""

    def __init__(self, message: EmailMultiAlternatives, to: str) -> None:
        self.message = message
        self.to = to
        self.done: list[SmtpTestStep] = []
        self.client: smtplib.SMTP | None = None
        self.timed_out = threading.Event()

    def steps(self) -> list[SmtpTestStep]:
        timer = threading.Timer(DEADLINE, self._close_connection)
        timer.daemon = True
        timer.start()
        try:
            for step in (self._connect, self._encrypt, self._log_in, self._sender, self._recipient, self._text):
                step()
        except _Stopped:
            pass
        finally:
            timer.cancel()
            if self.client:
                self.client.close()
        return self.done

    def _connect(self) -> None:
        self._step("Connection", self._open, f"Connected to {_where()}. Server greeting:")

    def _open(self) -> str:
        kind = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
        self.client = client = kind(local_hostname=DNS_NAME.get_fqdn(), timeout=DEADLINE / 2)
        if isinstance(client, smtplib.SMTP_SSL):
            client.context = ssl.create_default_context()
        client._host = settings.EMAIL_HOST  # type: ignore[attr-defined]  # the host name that TLS certificates are checked against
        code, greeting = client.connect(settings.EMAIL_HOST, settings.EMAIL_PORT)
        if code != 220:
            raise smtplib.SMTPConnectError(code, greeting)
        client.ehlo_or_helo_if_needed()
        return _as_text(greeting)

    def _encrypt(self) -> None:
        client = self._open_client()
        if settings.EMAIL_USE_TLS:
            self._step("Encryption", self._start_tls, "Encrypted with a valid certificate:")
        elif isinstance(client.sock, ssl.SSLSocket):
            self._note("Encryption", "ok", f"Encrypted with a valid certificate: {client.sock.version()}")
        elif client.has_extn("starttls"):
            text = "Not encrypted, although the server supports it. Use smtp+tls:// in EMAIL_URL."
            self._note("Encryption", "warning", text)
        else:
            self._note(
                "Encryption", "look", "Not encrypted. This is acceptable on this machine or in a private network."
            )

    def _start_tls(self) -> str:
        client = self._open_client()
        client.starttls(context=ssl.create_default_context())
        client.ehlo()
        return str(client.sock.version()) if isinstance(client.sock, ssl.SSLSocket) else "TLS"

    def _log_in(self) -> None:
        user, password = settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD
        if not (user and password):
            self._note("Sign-in", "skipped", "EMAIL_URL contains no user name and password.")
            return
        self._step("Sign-in", lambda: _as_text(self._open_client().login(user, password)[1]), "Accepted:")

    def _sender(self) -> None:
        sender = return_path_of(self.message)
        # smtplib refuses the option if the server does not offer it.
        options = () if self.to.isascii() else (["SMTPUTF8", "BODY=8BITMIME"],)
        self._step("Sender", lambda: self._command("mail", sender, *options), f"{sender} is accepted:")

    def _recipient(self) -> None:
        self._step("Recipient", lambda: self._command("rcpt", self.to), f"{self.to} is accepted:")

    def _text(self) -> None:
        raw = message_bytes(self.message)
        self._step("Message", lambda: self._command("data", raw), "Accepted by the server. Last response:")

    def _command(self, verb: str, *arguments: object) -> str:
        code, answer = getattr(self._open_client(), verb)(*arguments)
        if code >= 300:
            raise smtplib.SMTPResponseException(code, answer)
        return f"{code} {_as_text(answer)}"

    def _open_client(self) -> smtplib.SMTP:
        if self.client is None:
            raise _Stopped
        return self.client

    def _step(self, name: str, action: Callable[[], str], message: str) -> None:
        try:
            answer = action()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            self._note(name, "failed", self._why(error))
            raise _Stopped from error
        self._note(name, "ok", f"{message} {answer}")

    def _why(self, error: Exception) -> str:
        if self.timed_out.is_set():
            return f"No complete response within {DEADLINE:g} seconds."
        if isinstance(error, smtplib.SMTPResponseException):
            return f"Refused: {error.smtp_code} {_as_text(error.smtp_error)}"
        return describe_error(error)

    def _note(self, name: str, state: str, message: str) -> None:
        self.done.append(SmtpTestStep(name, state, one_line(message)[:_MESSAGE_LENGTH]))

    def _close_connection(self) -> None:
        self.timed_out.set()
        if self.client and self.client.sock:
            with suppress(OSError):
                self.client.sock.shutdown(socket.SHUT_RDWR)


def return_path_of(message: EmailMultiAlternatives) -> str:
    return parseaddr(message.from_email)[1]


def describe_error(error: Exception) -> str:
    """Return a message about a network error for the person who set EMAIL_URL."""
    where = _where()
    if isinstance(error, socket.gaierror):
        return f"The host {settings.EMAIL_HOST} was not found. Check the host name in EMAIL_URL."
    if isinstance(error, ConnectionRefusedError):
        return f"{where} refused the connection. Check the port in EMAIL_URL and that the mail server runs."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate is not valid for {settings.EMAIL_HOST}: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or error}). {_SCHEMES}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"The server does not support this: {error}"
    if isinstance(error, TimeoutError):
        return f"No response from {where}. A firewall may block the connection: many providers block port 25."
    if isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError):
        return f"The server closed the connection. {_SCHEMES}"
    return one_line(str(error) or type(error).__name__)


def _where() -> str:
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def _as_text(answer: bytes | str) -> str:
    return one_line(answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer)
