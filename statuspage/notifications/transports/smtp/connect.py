"""Opening connections to the mail server, as Django's EMAIL_* settings say. The only place that imports smtplib."""

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
from statuspage.notifications.transports.smtp.status_codes import kind_of, status_in

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
# Name look-up, connection, greeting, TLS and log-in together.
OPEN_SECONDS = 20.0
# All that, and one mail.
HAND_OVER_SECONDS = 40.0


@dataclass(frozen=True)
class Features:
    """What the server offers: PIPELINING (RFC 2920), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531)."""

    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False


class _Watched(smtplib.SMTP):
    """Leaves a second handle of its socket with the thread that opens it: cutting that ends any waiting."""

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        sock: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]  # not in typeshed
        opening = threading.current_thread()
        if isinstance(opening, _Wired):
            opening.wire = sock.dup()
        return sock


class _WatchedSSL(smtplib.SMTP_SSL, _Watched):
    """SMTP_SSL asks `super()` for the bare socket: that is _Watched."""


class _Backend(EmailBackend):
    """Django's, for all that it knows about TLS and log-ins."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _WatchedSSL if self.use_ssl else _Watched


class _Wired(threading.Thread):
    """Talks over a connection that others can cut."""

    wire: socket.socket | None = None

    def cut(self) -> None:
        """Whatever it waits for ends now."""
        if self.wire:
            with suppress(OSError):
                self.wire.shutdown(socket.SHUT_RDWR)


class ConnectThread(_Wired):
    """One connection being opened, beside the sending. Then either `error` says why not, or `sock` is ready."""

    def __init__(self, done: Callable[[], None]) -> None:
        super().__init__(name="smtp-opening", daemon=True)
        self._done = done
        self._given_up = False
        self._client: Any = None
        self.is_ready = False
        self.error = ""
        self.features = Features()
        self.ends_at = time.monotonic() + OPEN_SECONDS

    @property
    def sock(self) -> socket.socket:
        found: socket.socket = self._client.sock
        return found

    def run(self) -> None:
        backend = _Backend()
        try:
            self._open(backend)
        except (OSError, ValueError, smtplib.SMTPException) as error:
            self.error = self.error or words(error)
        self.is_ready = True
        self._done()
        if self.error or self._given_up:
            self.give_up()
            with suppress(OSError, smtplib.SMTPException):
                backend.close()
        if self.wire:
            self.wire.close()

    def give_up(self) -> None:
        """Stop waiting for it; whatever it waits for ends now."""
        self._given_up = True
        self.cut()
        if self.is_ready and self._client:
            self._client.close()

    def expire(self) -> None:
        self.error = self.error or f"it did not get ready within {OPEN_SECONDS:g} s"
        self.give_up()

    def _open(self, backend: _Backend) -> None:
        backend.open()
        client: Any = backend.connection
        client.ehlo_or_helo_if_needed()
        offered = client.esmtp_features
        self.features = Features(
            pipelining="pipelining" in offered, eight_bit="8bitmime" in offered, smtputf8="smtputf8" in offered
        )
        client.sock.settimeout(0)
        if client.file:
            # smtplib's reader is done; while it is open, closing the socket closes nothing.
            client.file.close()
            client.file = None
        self._client = client


class _HandOver(_Wired):
    """One mail over a connection of its own."""

    def __init__(self, message: EmailMessage) -> None:
        super().__init__(name="mail-hand-over", daemon=True)
        self._message = message
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            _Backend().send_messages([self._message])
        except Exception as error:
            self.error = error
        if self.wire:
            self.wire.close()


def send_message(message: EmailMessage) -> None:
    """One mail to one recipient, on its own: returns when the mail server (or file) has it.

    TransportError if it would not take this one, ChannelDown if it takes none. HAND_OVER_SECONDS at most.
    """
    if settings.EMAIL_BACKEND != SMTP_BACKEND:
        try:
            get_connection().send_messages([message])
        except OSError as error:
            raise ChannelDown(str(error)) from error
        return
    talk = _HandOver(message)
    talk.start()
    talk.join(HAND_OVER_SECONDS)
    if talk.is_alive():
        talk.cut()
        raise ChannelDown(f"The mail server took longer than {HAND_OVER_SECONDS:g} s")
    if talk.error:
        raise _judged(talk.error) from talk.error


def _judged(error: Exception) -> Exception:
    """Whose fault it is."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, response = next(iter(error.recipients.values()))
        text = words(smtplib.SMTPResponseException(code, response))
        return TransportError(text, permanent=kind_of(status_in(text)) == BounceKind.HARD)
    if isinstance(error, smtplib.SMTPDataError):
        return TransportError(words(error))
    return ChannelDown(words(error)) if isinstance(error, OSError) else error


def words(error: Exception) -> str:
    """`535 5.7.8 Wrong password`: what the server said, as one line that people can read."""
    code: object = getattr(error, "smtp_code", "")
    response: object = getattr(error, "smtp_error", "")
    text = response.decode("utf-8", "replace") if isinstance(response, bytes) else str(response)
    return one_line(f"{code} {text}" if code else str(error) or type(error).__name__)[:500]
