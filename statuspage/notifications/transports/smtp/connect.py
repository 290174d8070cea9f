"""Open connections to the mail server of Django's EMAIL_* settings. The only module that imports smtplib."""

from __future__ import annotations

import smtplib
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

from statuspage.notifications.messages.email import one_line
from statuspage.notifications.models import BounceKind
from statuspage.notifications.transports.base import ChannelDown, TransportError
from statuspage.notifications.transports.smtp.status_codes import bounce_kind_of, find_status

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
# Limit for name resolution, connecting, greeting, TLS and log-in together.
CONNECT_SECONDS = 20.0
# Limit for connecting and sending one email.
SEND_SECONDS = 40.0


@dataclass(frozen=True)
class Features:
    """The extensions that the server supports: PIPELINING (RFC 2920), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531)."""

    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False


class _InterruptibleSMTP(smtplib.SMTP):
    """Store a copy of the socket in the thread that connects; shutting the copy down interrupts any blocking call."""

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        sock: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]  # not in typeshed
        thread = threading.current_thread()
        if isinstance(thread, _InterruptibleThread):
            thread.socket_copy = sock.dup()
        return sock


class _InterruptibleSMTPSSL(smtplib.SMTP_SSL, _InterruptibleSMTP):
    """SMTP_SSL gets the plain socket from `super()`, which is _InterruptibleSMTP."""


class _Backend(EmailBackend):
    """Django's SMTP backend, which implements TLS and log-in, with interruptible connections."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _InterruptibleSMTPSSL if self.use_ssl else _InterruptibleSMTP


class _InterruptibleThread(threading.Thread):
    """A thread whose connection other threads can shut down."""

    socket_copy: socket.socket | None = None

    def interrupt(self) -> None:
        """End any blocking call of the thread."""
        if self.socket_copy:
            with suppress(OSError):
                self.socket_copy.shutdown(socket.SHUT_RDWR)


class ConnectThread(_InterruptibleThread):
    """Opens one connection in the background. When done, either `error` holds the reason or `sock` is ready."""

    def __init__(self, on_done: Callable[[], None]) -> None:
        super().__init__(name="smtp-connect", daemon=True)
        self._on_done = on_done
        self._is_abandoned = False
        self._client: Any = None
        self.is_ready = False
        self.error = ""
        self.features = Features()
        self.deadline = time.monotonic() + CONNECT_SECONDS

    @property
    def sock(self) -> socket.socket:
        sock: socket.socket = self._client.sock
        return sock

    def run(self) -> None:
        backend = _Backend()
        try:
            self._open(backend)
        except (OSError, ValueError, smtplib.SMTPException) as error:
            self.error = self.error or error_text(error)
        self.is_ready = True
        self._on_done()
        if self.error or self._is_abandoned:
            self.abandon()
            with suppress(OSError, smtplib.SMTPException):
                backend.close()
        if self.socket_copy:
            self.socket_copy.close()

    def abandon(self) -> None:
        """Stop waiting for the connection and close it."""
        self._is_abandoned = True
        self.interrupt()
        if self.is_ready and self._client:
            self._client.close()

    def expire(self) -> None:
        self.error = self.error or f"not ready within {CONNECT_SECONDS:g} s"
        self.abandon()

    def _open(self, backend: _Backend) -> None:
        backend.open()
        client: Any = backend.connection
        client.ehlo_or_helo_if_needed()
        extensions = client.esmtp_features
        self.features = Features(
            pipelining="pipelining" in extensions, eight_bit="8bitmime" in extensions, smtputf8="smtputf8" in extensions
        )
        client.sock.settimeout(0)
        if client.file:
            # smtplib no longer reads. While its file is open, closing the socket has no effect.
            client.file.close()
            client.file = None
        self._client = client


class _SendThread(_InterruptibleThread):
    """Sends one email over a separate connection."""

    def __init__(self, message: EmailMessage) -> None:
        super().__init__(name="smtp-send", daemon=True)
        self._message = message
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            _Backend().send_messages([self._message])
        except Exception as error:
            self.error = error
        if self.socket_copy:
            self.socket_copy.close()


def send_message(message: EmailMessage) -> None:
    """Send one email to one recipient over a separate connection. Returns when the mail server (or file) accepted it.

    TransportError if this message was refused, ChannelDown if no message can be sent. Takes at most SEND_SECONDS.
    """
    if settings.EMAIL_BACKEND != SMTP_BACKEND:
        try:
            get_connection().send_messages([message])
        except OSError as error:
            raise ChannelDown(str(error)) from error
        return
    thread = _SendThread(message)
    thread.start()
    thread.join(SEND_SECONDS)
    if thread.is_alive():
        thread.interrupt()
        raise ChannelDown(f"The mail server took longer than {SEND_SECONDS:g} s")
    if thread.error:
        raise _classify(thread.error) from thread.error


def _classify(error: Exception) -> Exception:
    """Return the error as a TransportError (the recipient's side) or a ChannelDown (our side)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, response = next(iter(error.recipients.values()))
        text = error_text(smtplib.SMTPResponseException(code, response))
        return TransportError(text, permanent=bounce_kind_of(find_status(text)) == BounceKind.HARD)
    if isinstance(error, smtplib.SMTPDataError):
        return TransportError(error_text(error))
    return ChannelDown(error_text(error)) if isinstance(error, OSError) else error


def error_text(error: Exception) -> str:
    """Return the server's reply as one readable line, such as `535 5.7.8 Wrong password`."""
    code: object = getattr(error, "smtp_code", "")
    response: object = getattr(error, "smtp_error", "")
    text = response.decode("utf-8", "replace") if isinstance(response, bytes) else str(response)
    return one_line(f"{code} {text}" if code else str(error) or type(error).__name__)[:500]
