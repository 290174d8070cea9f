"""One open SMTP connection: what is written, what is waited for, and what each answer means (RFC 5321, RFC 2920).

Where the server offers PIPELINING, the text of one mail and the envelope of the next are one write: one round trip a
mail instead of four.
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

# From the envelope to the answer to the text, however many answers drip in between.
MESSAGE_SECONDS = 30.0
# No sane answer is longer.
_MOST_UNREAD, _MOST_LINES = 64 * 1024, 200
# Answers to RCPT that speak of us, not of the mailbox: authentication and TLS wanted, credentials refused (RFC 4954).
_OUR_FAULT = {530, 534, 535, 538}
_BLOCKED = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Step(Enum):
    """What was written, and its answer waited for."""

    RESET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    TEXT = auto()
    # The server asked for a text though it refused the recipient: an empty one ends that (RFC 2920 section 3.1).
    NO_TEXT = auto()


class SmtpConnection:
    def __init__(self, opened: ConnectThread, office: SmtpPool) -> None:
        self._opened = opened  # holds the socket
        self.sock = opened.sock
        self.features = opened.features
        self._pool = office
        self._jobs: list[Envelope] = []
        self._queue: deque[tuple[Step, Envelope, bytes]] = deque()
        self._expected: deque[tuple[Step, Envelope]] = deque()
        self._unread = b""
        self._unwritten = b""
        self._lines: list[bytes] = []
        self._accepted = 0
        self._needs_reset = False
        self.is_closed = self.is_watched_for_writing = False
        self.deadline = 0.0

    @property
    def is_idle(self) -> bool:
        return not (self._expected or self._queue or self.is_closed)

    def give(self, job: Envelope) -> None:
        """Begin with `job`: its envelope now, its text when the server asks for it."""
        if self.is_idle:
            self.deadline = time.monotonic() + MESSAGE_SECONDS
        self._enqueue(job)
        self._pump()

    def _enqueue(self, job: Envelope) -> None:
        self._jobs.append(job)
        if self._needs_reset:
            self._queue.append((Step.RESET, job, b"RSET\r\n"))
            self._needs_reset = False
        self._queue += (
            (Step.MAIL, job, job.mail_command),
            (Step.RCPT, job, job.rcpt_command),
            (Step.DATA, job, b"DATA\r\n"),
        )

    def _pump(self) -> None:
        """Write what may be written: all that waits, or without PIPELINING one step at a time."""
        queue, pieces = self._queue, []
        while queue and (self.features.pipelining or not self._expected):
            step, job, piece = queue.popleft()
            self._expected.append((step, job))
            pieces.append(piece)
            if step is Step.TEXT:
                job.is_given, job.given_at = True, time.monotonic()
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
            self.lose(f"The connection to the mail server broke: {error}.")
        if bool(self._unwritten) != self.is_watched_for_writing and not self.is_closed:
            self.is_watched_for_writing = not self.is_watched_for_writing
            self._pool.watch(self)

    def read(self) -> None:
        """Take in what has come, and act on every answer that is complete."""
        try:
            while not self.is_closed:
                came = self.sock.recv(65536)
                if not came:
                    self.lose("The mail server closed the connection")
                    return
                self._take_in(came)
                if len(came) < 65536 and not isinstance(self.sock, ssl.SSLSocket):
                    return
        except _BLOCKED:
            return
        except OSError as error:
            self.lose(f"The connection to the mail server broke ({error.strerror or error})")

    def _take_in(self, came: bytes) -> None:
        *lines, self._unread = (self._unread + came).split(b"\n")
        for line in lines:
            if line[3:4] == b"-":
                self._lines.append(line)
                continue
            response, self._lines = [*self._lines, line], []
            self._answered(response)
            if self.is_closed:
                return
        if len(self._unread) > _MOST_UNREAD or len(self._lines) > _MOST_LINES:
            self.lose("The mail server's answer has no end")
        elif self._queue:
            self._pump()

    def _answered(self, lines: list[bytes]) -> None:
        code = int(lines[-1][:3]) if lines[-1][:3].isdigit() else 0
        if not self._expected or not code:
            self.lose(f"The mail server said, out of turn: {_words(code, lines)}")
            return
        step, job = self._expected.popleft()
        if code == 421:
            # It goes, and takes nothing with it: what it answers this to was not accepted (RFC 5321 section 3.8).
            job.is_given = job.is_given and step is not Step.TEXT
            self.lose(f"The mail server closed the connection ({_words(code, lines)})")
        else:
            self._act(step, job, code, lines)

    def _act(self, step: Step, job: Envelope, code: int, lines: list[bytes]) -> None:
        is_good = 200 <= code < 300
        if step is Step.MAIL and not is_good:
            self._end(job, ChannelDown(f"The mail server refused us: {_words(code, lines)}"))
        elif step is Step.RCPT and not is_good:
            if not job.is_over:
                self._end(job, _refused_recipient(code, _words(code, lines)))
        elif step is Step.DATA:
            self._asked_for_text(job) if code == 354 else self._refused_data(job, _words(code, lines))
        elif step is Step.TEXT:
            # Here the server has judged the text, or its own disk: no reason to strike the reader off.
            self._accepted += is_good
            self._end(job, None if is_good else TransportError(_words(code, lines)))
            self.deadline = time.monotonic() + MESSAGE_SECONDS

    def _asked_for_text(self, job: Envelope) -> None:
        if job.is_over:
            self._queue.appendleft((Step.NO_TEXT, job, b".\r\n"))
            return
        self._queue.append((Step.TEXT, job, job.data))
        if self.features.pipelining and (following := self._pool.take(self)):
            self._enqueue(following)

    def _refused_data(self, job: Envelope, response: str) -> None:
        self._needs_reset = True
        if not job.is_over:
            self._end(job, TransportError(response))

    def _end(self, job: Envelope, error: Exception | None) -> None:
        job.is_over = True
        self._jobs.remove(job)
        if any(waiting is job for _, waiting, _ in self._queue):
            self._queue = deque(entry for entry in self._queue if entry[1] is not job)
            self._needs_reset = True
        self._pool.settle(job, error)

    def lose(self, why: str, *, timed_out: bool = False) -> None:
        """The connection is of no more use. Only the mail that was being handed over can be to blame."""
        if self.is_closed:
            return
        self.close()
        jobs, self._jobs = self._jobs, []
        for place, job in enumerate(jobs):
            if job.is_given:
                error = f"{why} before it answered: perhaps it has the message."
                self._pool.cut_off(job, TransportError(error, in_doubt=True), timed_out=timed_out)
            elif place == 0 and (timed_out or not self._accepted):
                error = f"{why} before it accepted the message."
                self._pool.cut_off(job, TransportError(error), timed_out=timed_out)
            else:
                # Servers close idle and long connections: another one will do.
                self._pool.give_back(job)

    def close(self) -> None:
        if self.is_closed:
            return
        self._pool.forget(self)
        with suppress(OSError):
            if self.is_idle and not self._unwritten:
                self.sock.send(b"QUIT\r\n")
        self.is_closed = True
        self._queue.clear()
        self._expected.clear()
        with suppress(OSError):
            self.sock.close()


def _words(code: int, lines: list[bytes]) -> str:
    """`550 5.1.1 No such user`: an answer as one line that people can read."""
    text = " ".join(line[4:].decode("utf-8", "replace") for line in lines)
    return one_line(f"{code or ''} {text}")[:500]


def _refused_recipient(code: int, response: str) -> Exception:
    if code in _OUR_FAULT or "relay" in response.lower():
        return ChannelDown(f"The mail server does not send for us: {response}")
    return TransportError(response, permanent=code >= 500)
