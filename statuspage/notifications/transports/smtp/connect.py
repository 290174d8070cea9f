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

from django.core.mail.backends.smtp import EmailBackend

from statuspage.notifications.messages.email import one_line

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
# Limit for name resolution, connecting, greeting, TLS and log-in together.
CONNECT_SECONDS = 20.0


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


def error_text(error: Exception) -> str:
    """Return the server's reply as one readable line, such as `535 5.7.8 Wrong password`."""
    code: object = getattr(error, "smtp_code", "")
    response: object = getattr(error, "smtp_error", "")
    text = response.decode("utf-8", "replace") if isinstance(response, bytes) else str(response)
    return one_line(f"{code} {text}" if code else str(error) or type(error).__name__)[:500]
