"""One open SMTP connection: writes commands, reads replies and interprets them (RFC 5321, RFC 2920).

If the server supports PIPELINING, the text of one email and the envelope of the next are a single write: one round
trip per email instead of four.
"""

from __future__ import annotations

import ssl
import time
from collections import deque
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING

from statuspage.notifications.messages.email import one_line
from statuspage.notifications.transports.base import ChannelDown, TransportError
from statuspage.notifications.transports.smtp.envelope import Envelope

if TYPE_CHECKING:
    from statuspage.notifications.transports.smtp.connect import ConnectThread
    from statuspage.notifications.transports.smtp.pool import SmtpPool

# Limit from the envelope to the reply to the text, regardless of how many replies arrive in between.
MESSAGE_SECONDS = 30.0
# Limits for one reply: unread bytes and lines.
_MAX_UNREAD, _MAX_LINES = 64 * 1024, 200
# Replies to RCPT that concern the sender, not the mailbox: authentication or TLS required (RFC 4954).
_SENDER_FAULT = {530, 534, 535, 538}
_BLOCKED = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SmtpStep(Enum):
    """A command that was written and whose reply is awaited."""

    RESET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    TEXT = auto()
    # The server requested the text although it refused the recipient: send an empty one (RFC 2920 section 3.1).
    NO_TEXT = auto()


class SmtpConnection:
    def __init__(self, connect_thread: ConnectThread, pool: SmtpPool) -> None:
        self._connect_thread = connect_thread  # owns the socket
        self.sock = connect_thread.sock
        self.features = connect_thread.features
        self._pool = pool
        self._envelopes: list[Envelope] = []
        self._queue: deque[tuple[SmtpStep, Envelope, bytes]] = deque()
        self._awaited: deque[tuple[SmtpStep, Envelope]] = deque()
        self._unread = b""
        self._unwritten = b""
        self._lines: list[bytes] = []
        self._accepted = 0
        self._needs_reset = False
        self.is_closed = self.is_watched_for_writing = False
        # Left from an earlier run, and without a reply since: if it fails, the server closed it while it was idle.
        self.is_reused = False
        self._opened_at = time.monotonic()
        self.deadline = 0.0

    @property
    def age(self) -> float:
        """Return the seconds since it was opened."""
        return time.monotonic() - self._opened_at

    @property
    def is_idle(self) -> bool:
        return not (self._awaited or self._queue or self.is_closed)

    def start(self, envelope: Envelope) -> None:
        """Send the commands of `envelope` now, and its text when the server requests it."""
        if self.is_idle:
            self.deadline = time.monotonic() + MESSAGE_SECONDS
        self._enqueue(envelope)
        self._write_queued()

    def _enqueue(self, envelope: Envelope) -> None:
        self._envelopes.append(envelope)
        if self._needs_reset:
            self._queue.append((SmtpStep.RESET, envelope, b"RSET\r\n"))
            self._needs_reset = False
        self._queue += (
            (SmtpStep.MAIL, envelope, envelope.mail_command),
            (SmtpStep.RCPT, envelope, envelope.rcpt_command),
            (SmtpStep.DATA, envelope, b"DATA\r\n"),
        )

    def _write_queued(self) -> None:
        """Write all queued commands or, without PIPELINING, one command at a time."""
        queue, pieces = self._queue, []
        while queue and (self.features.pipelining or not self._awaited):
            step, envelope, piece = queue.popleft()
            self._awaited.append((step, envelope))
            pieces.append(piece)
            if step is SmtpStep.TEXT:
                envelope.is_text_sent, envelope.text_sent_at = True, time.monotonic()
        if pieces:
            self._unwritten += b"".join(pieces)
            self.write()

    def write(self) -> None:
        try:
            while self._unwritten:
                self._unwritten = self._unwritten[self.sock.send(self._unwritten) :]
        except _BLOCKED:
            pass
        except OSError as error:
            self.fail(f"The connection to the mail server broke: {error}.")
        if bool(self._unwritten) != self.is_watched_for_writing and not self.is_closed:
            self.is_watched_for_writing = not self.is_watched_for_writing
            self._pool.update_events(self)

    def read(self) -> None:
        """Read the available bytes and handle every complete reply."""
        try:
            while not self.is_closed:
                data = self.sock.recv(65536)
                if not data:
                    self.fail("The mail server closed the connection")
                    return
                self._parse(data)
                if len(data) < 65536 and not isinstance(self.sock, ssl.SSLSocket):
                    return
        except _BLOCKED:
            return
        except OSError as error:
            self.fail(f"The connection to the mail server broke ({error.strerror or error})")

    def _parse(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            if line[3:4] == b"-":
                self._lines.append(line)
                continue
            response, self._lines = [*self._lines, line], []
            self._handle_response(response)
            if self.is_closed:
                return
        if len(self._unread) > _MAX_UNREAD or len(self._lines) > _MAX_LINES:
            self.fail("The mail server's reply is too long")
        elif self._queue:
            self._write_queued()

    def _handle_response(self, lines: list[bytes]) -> None:
        code = int(lines[-1][:3]) if lines[-1][:3].isdigit() else 0
        if not self._awaited or not code:
            self.fail(f"The mail server sent an unexpected reply: {_response_text(code, lines)}")
            return
        step, envelope = self._awaited.popleft()
        if code != 421:
            self.is_reused = False
            self._apply_response(step, envelope, code, lines)
        else:
            # The server shuts down, and the message that it replies to was not accepted (RFC 5321 section 3.8).
            envelope.is_text_sent = envelope.is_text_sent and step is not SmtpStep.TEXT
            self.fail(f"The mail server closed the connection ({_response_text(code, lines)})")

    def _apply_response(self, step: SmtpStep, envelope: Envelope, code: int, lines: list[bytes]) -> None:
        is_good = 200 <= code < 300
        if step is SmtpStep.MAIL and not is_good:
            self._settle(envelope, ChannelDown(f"The mail server refused the sender: {_response_text(code, lines)}"))
        elif step is SmtpStep.RCPT and not is_good:
            if not envelope.is_settled:
                self._settle(envelope, _recipient_error(code, _response_text(code, lines)))
        elif step is SmtpStep.DATA:
            self._queue_text(envelope) if code == 354 else self._handle_refused_data(
                envelope, _response_text(code, lines)
            )
        elif step is SmtpStep.TEXT:
            # This reply concerns the text or the server, not the recipient, so the subscriber stays active.
            self._accepted += is_good
            self._settle(envelope, None if is_good else TransportError(_response_text(code, lines)))
            self.deadline = time.monotonic() + MESSAGE_SECONDS

    def _queue_text(self, envelope: Envelope) -> None:
        if envelope.is_settled:
            self._queue.appendleft((SmtpStep.NO_TEXT, envelope, b".\r\n"))
            return
        self._queue.append((SmtpStep.TEXT, envelope, envelope.data))
        if self.features.pipelining and (next_envelope := self._pool.take_envelope(self)):
            self._enqueue(next_envelope)

    def _handle_refused_data(self, envelope: Envelope, response: str) -> None:
        self._needs_reset = True
        if not envelope.is_settled:
            self._settle(envelope, TransportError(response))

    def _settle(self, envelope: Envelope, error: Exception | None) -> None:
        envelope.is_settled = True
        self._envelopes.remove(envelope)
        if any(queued is envelope for _, queued, _ in self._queue):
            self._queue = deque(entry for entry in self._queue if entry[1] is not envelope)
            self._needs_reset = True
        self._pool.settle(envelope, error)

    def fail(self, reason: str, *, timed_out: bool = False) -> None:
        """Close the broken connection. Only the email that was being sent can be the cause."""
        if self.is_closed:
            return
        self.close()
        envelopes, self._envelopes = self._envelopes, []
        for index, envelope in enumerate(envelopes):
            if envelope.is_text_sent:
                error = f"{reason} before it replied. The message may have been delivered."
                self._pool.handle_broken_connection(envelope, TransportError(error, in_doubt=True), timed_out=timed_out)
            elif index == 0 and not self.is_reused and (timed_out or not self._accepted):
                error = f"{reason} before it accepted the message."
                self._pool.handle_broken_connection(envelope, TransportError(error), timed_out=timed_out)
            else:
                # Servers close idle and long connections: send it over another one.
                self._pool.put_back(envelope)

    def close(self) -> None:
        if self.is_closed:
            return
        self._pool.remove(self)
        with suppress(OSError):
            if self.is_idle and not self._unwritten:
                self.sock.send(b"QUIT\r\n")
        self.is_closed = True
        self._queue.clear()
        self._awaited.clear()
        with suppress(OSError):
            self.sock.close()


def _response_text(code: int, lines: list[bytes]) -> str:
    """Return a reply as one readable line, such as `550 5.1.1 No such user`."""
    text = " ".join(line[4:].decode("utf-8", "replace") for line in lines)
    return one_line(f"{code or ''} {text}")[:500]


def _recipient_error(code: int, response: str) -> Exception:
    if code in _SENDER_FAULT or "relay" in response.lower():
        return ChannelDown(f"The mail server does not relay for this sender: {response}")
    return TransportError(response, permanent=code >= 500)
