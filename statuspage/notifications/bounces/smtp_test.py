"""A test mail to staff, step by step, so that whoever sets up mail sees which part of it does not work."""

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
from django.utils import timezone

from incidents.actor import Actor
from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.common.signing import sign_number
from statuspage.common.urls import absolute_url
from statuspage.notifications.messages.email import feedback_id, inlined, one_line, sender_address
from statuspage.notifications.messages.return_path import MAIL_TEST, provider_headers, return_path
from statuspage.notifications.models import MailTest

logger = logging.getLogger(__name__)

# For all steps together: a server that drips a byte a second would hold a timeout per answer off for ever.
DEADLINE = 30.0
_MESSAGE_LENGTH = 500

# One at a time, beside the request: a mail server that hangs must not hold the web process.
_executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail-test")


@dataclass(frozen=True)
class SmtpTestStep:
    """`state` is ok, warning, look (only staff can tell), failed or skipped. `message` say what the server answered, or
    what to do."""

    name: str
    state: str
    message: str


@transaction.atomic
def start(page: Page, to: str, *, actor: Actor) -> MailTest:
    """Begin a test; its row tells how it goes."""
    test = MailTest.objects.create(page=page, to=to)
    note(page, "mail.tested", actor=actor, object_type="mail_test", object_ref=str(test.pk))
    transaction.on_commit(lambda: _executor.submit(_run, test))
    return test


def wait_until_done() -> None:
    """Return when all tests begun so far have ended."""
    _executor.submit(lambda: None).result()


def _run(test: MailTest) -> None:
    try:
        steps = run(test)
        MailTest.objects.finish(test.pk, [asdict(step) for step in steps])
    except Exception:
        logger.exception("A mail test ended before its end.")
    finally:
        connection.close()


def run(test: MailTest) -> list[SmtpTestStep]:
    """Send the test mail and say how each step went. Up to DEADLINE seconds, and the time that a name server takes."""
    message = build(test)
    if not settings.EMAIL_URL:
        get_connection().send_messages([message])
        return [
            SmtpTestStep("Mail server", "warning", "None is set, so the mail was written to a file and reaches nobody.")
        ]
    return SmtpTest(message, test.to).steps()


def build(test: MailTest) -> EmailMultiAlternatives:
    """What the test sends: the headers of every mail of ours but those of a subscription."""
    page, token = test.page, sign_number(MAIL_TEST, test.pk)
    context = {"page": page, "subject": f"[{one_line(page.name)}] Test mail", "home_url": absolute_url(page, "/")}
    sender = formataddr((one_line(page.name), sender_address()))
    headers = {
        "From": sender,
        "Message-ID": make_msgid(domain=sender_address().rpartition("@")[2] or "localhost"),
        "Date": format_datetime(timezone.now()),
        "Auto-Submitted": "auto-generated",
        "Feedback-ID": feedback_id("test", page, "test"),
    } | provider_headers(token)
    text = render_to_string("notifications/email/test.txt", context).strip() + "\n"
    envelope_from = return_path(token) or sender
    message = EmailMultiAlternatives(str(context["subject"]), text, envelope_from, [test.to], headers=headers)
    message.attach_alternative(inlined(render_to_string("notifications/email/test.html", context)), "text/html")
    return message


class _Stopped(Exception):
    """A step failed; those after it have no point."""


class SmtpTest:
    """One conversation with the mail server, held to DEADLINE."""

    def __init__(self, message: EmailMultiAlternatives, to: str) -> None:
        self.message = message
        self.to = to
        self.done: list[SmtpTestStep] = []
        self.client: smtplib.SMTP | None = None
        self.overdue = threading.Event()

    def steps(self) -> list[SmtpTestStep]:
        alarm = threading.Timer(DEADLINE, self._hang_up)
        alarm.daemon = True
        alarm.start()
        try:
            for step in (self._connect, self._encrypt, self._log_in, self._sender, self._recipient, self._text):
                step()
        except _Stopped:
            pass
        finally:
            alarm.cancel()
            if self.client:
                self.client.close()
        return self.done

    def _connect(self) -> None:
        self._step("Connection", self._open, f"Connected to {_where()}. It greets with:")

    def _open(self) -> str:
        kind = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
        self.client = client = kind(local_hostname=DNS_NAME.get_fqdn(), timeout=DEADLINE / 2)
        if isinstance(client, smtplib.SMTP_SSL):
            client.context = ssl.create_default_context()
        client._host = settings.EMAIL_HOST  # type: ignore[attr-defined]  # the name that TLS certificates are held to
        code, greeting = client.connect(settings.EMAIL_HOST, settings.EMAIL_PORT)
        if code != 220:
            raise smtplib.SMTPConnectError(code, greeting)
        client.ehlo_or_helo_if_needed()
        return _as_text(greeting)

    def _encrypt(self) -> None:
        client = self._open_client()
        if settings.EMAIL_USE_TLS:
            self._step("Encryption", self._start_tls, "Encrypted, with a certificate that is valid:")
        elif isinstance(client.sock, ssl.SSLSocket):
            self._note("Encryption", "ok", f"Encrypted, with a certificate that is valid: {client.sock.version()}")
        elif client.has_extn("starttls"):
            text = "Not encrypted, although the server offers it: use smtp+tls:// in EMAIL_URL."
            self._note("Encryption", "warning", text)
        else:
            self._note("Encryption", "look", "Not encrypted. That is fine on this machine or a network of your own.")

    def _start_tls(self) -> str:
        client = self._open_client()
        client.starttls(context=ssl.create_default_context())
        client.ehlo()
        return str(client.sock.version()) if isinstance(client.sock, ssl.SSLSocket) else "TLS"

    def _log_in(self) -> None:
        user, password = settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD
        if not (user and password):
            self._note("Log-in", "skipped", "EMAIL_URL has no user and password, so none was tried.")
            return
        self._step("Log-in", lambda: _as_text(self._open_client().login(user, password)[1]), "Accepted:")

    def _sender(self) -> None:
        sender = return_path_of(self.message)
        self._step("Sender", lambda: self._command("mail", sender), f"{sender} is accepted:")

    def _recipient(self) -> None:
        self._step("Recipient", lambda: self._command("rcpt", self.to), f"{self.to} is accepted:")

    def _text(self) -> None:
        raw = b"\r\n".join(self.message.message().as_bytes().splitlines())
        self._step("Message", lambda: self._command("data", raw), "Taken over by the server. Its last answer:")

    def _command(self, verb: str, argument: str | bytes) -> str:
        code, answer = getattr(self._open_client(), verb)(argument)
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
        if self.overdue.is_set():
            return f"No whole answer within {DEADLINE:g} seconds."
        if isinstance(error, smtplib.SMTPResponseException):
            return f"Refused: {error.smtp_code} {_as_text(error.smtp_error)}"
        return explained(error)

    def _note(self, name: str, state: str, message: str) -> None:
        self.done.append(SmtpTestStep(name, state, one_line(message)[:_MESSAGE_LENGTH]))

    def _hang_up(self) -> None:
        self.overdue.set()
        if self.client and self.client.sock:
            with suppress(OSError):
                self.client.sock.shutdown(socket.SHUT_RDWR)


def return_path_of(message: EmailMultiAlternatives) -> str:
    return parseaddr(message.from_email)[1]


def explained(error: Exception) -> str:
    """An error of the network in a sentence for the person who set EMAIL_URL."""
    where = _where()
    if isinstance(error, socket.gaierror):
        return f"There is no machine named {settings.EMAIL_HOST}. Is the name in EMAIL_URL right?"
    if isinstance(error, ConnectionRefusedError):
        return f"Nothing listens at {where}. Is the port in EMAIL_URL right, and the mail server up?"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate is not valid for {settings.EMAIL_HOST}: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or error}). Port 465 wants smtp+ssl:// in EMAIL_URL; 587 and 25 want smtp+tls://."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"The server does not offer this: {error}"
    if isinstance(error, TimeoutError):
        return f"No answer from {where}. A firewall may be in between: many providers block port 25."
    if isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError):
        return "The server closed the connection. Port 465 wants smtp+ssl:// in EMAIL_URL; 587 and 25 want smtp+tls://."
    return one_line(str(error) or type(error).__name__)


def _where() -> str:
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def _as_text(answer: bytes | str) -> str:
    return one_line(answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer)
