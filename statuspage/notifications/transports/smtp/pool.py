"""Hands mails to a mail server over several connections at once, in one thread: whoever answers gets the next mail."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

from django.conf import settings

from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.base import ChannelDown, Outcome, TransportError
from statuspage.notifications.transports.smtp.connect import ConnectThread
from statuspage.notifications.transports.smtp.connection import MESSAGE_SECONDS, SmtpConnection
from statuspage.notifications.transports.smtp.envelope import Composed, Envelope

# One more connection for so many mails: a handful needs no crowd.
MAILS_PER_CONNECTION = 8
# A server that answers at once is kept busy by so many; more than that are for one which is far away, …
ENOUGH_WHEN_NEAR = 4
# … whose answers to a text take this long, in the middle.
FAR_SECONDS = 0.004
# So many messages in a row cut off half-way are no accident of one message.
MOST_CUT_OFF = 3
_LOOK_UP_EVERY = 1.0


class SmtpPool:
    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, self._ears = socket.socketpair()
        self._bell.settimeout(0)
        self._ears.settimeout(0)
        self._selector.register(self._ears, selectors.EVENT_READ)
        self._sessions: set[SmtpConnection] = set()
        self._openings: set[ConnectThread] = set()
        self._most = max(1, settings.SMTP_CONNECTIONS)
        self._pairs: Iterator[tuple[Composed, Delivery]] = iter(())
        self._given_back: deque[Envelope] = deque()
        self._outcomes: deque[Outcome] = deque()
        self._taken = 0
        self._accepted = 0
        self._cut_off = 0
        self._answer_seconds = 0.0
        self._exhausted = True
        self._down: ChannelDown | None = None

    def send_many(self, pairs: Iterator[tuple[Composed, Delivery]]) -> Iterator[Outcome]:
        """See Transport.send_many."""
        self._pairs, self._exhausted, self._down = pairs, False, None
        while True:
            self._hand_out()
            while self._outcomes:
                yield self._outcomes.popleft()
            if self._is_done():
                break
            self._wait()
        if self._down:
            raise self._down

    def close(self) -> None:
        for opening in self._openings:
            opening.give_up()
        for session in list(self._sessions):
            session.close()
        self._selector.close()
        self._ears.close()
        self._bell.close()

    # What sessions call.

    def take(self, session: SmtpConnection) -> Envelope | None:
        """The next mail, written for the server of `session`."""
        while job := self._next_job():
            try:
                job.address(session.features)
            except Exception as error:  # one mail that cannot be written must not hold up all others
                self._outcomes.append((job.delivery, error))
            else:
                return job
        return None

    def settle(self, job: Envelope, error: Exception | None) -> None:
        if isinstance(error, ChannelDown):
            self._down = error
            return
        if error is None:
            self._cut_off = 0
            self._accepted += 1
            self._answer_seconds += (time.monotonic() - job.given_at - self._answer_seconds) / MAILS_PER_CONNECTION
        self._outcomes.append((job.delivery, error))

    def cut_off(self, job: Envelope, error: TransportError, *, timed_out: bool) -> None:
        """The connection broke over `job`. It is settled all the same if it may have arrived, or took all our time."""
        self._cut_off += 1
        hopeless = self._cut_off >= MOST_CUT_OFF or (timed_out and not self._accepted)
        if hopeless:
            self._down = ChannelDown(str(error))
        if timed_out or error.in_doubt or not hopeless:
            self._outcomes.append((job.delivery, error))

    def requeue(self, job: Envelope) -> None:
        self._given_back.append(job)

    def watch(self, session: SmtpConnection) -> None:
        """What `session` waits for has changed."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if session.is_watched_for_writing else 0)
        self._selector.modify(session.sock, events, session)

    def forget(self, session: SmtpConnection) -> None:
        if session in self._sessions:
            self._sessions.remove(session)
            self._selector.unregister(session.sock)

    # One turn of the loop.

    def _hand_out(self) -> None:
        for session in [session for session in self._sessions if session.is_idle]:
            job = self.take(session)
            if job is None:
                break
            session.give(job)
        if self._has_work():
            self._open_some()

    def _has_work(self) -> bool:
        """Whether a mail waits for a connection. Looks one ahead while there is none to give it to."""
        if not (self._given_back or self._sessions or self._openings) and (job := self._next_job()):
            self._given_back.append(job)
        return not self._down and bool(self._given_back or not self._exhausted)

    def _open_some(self) -> None:
        most = self._most if self._answer_seconds > FAR_SECONDS else min(self._most, ENOUGH_WHEN_NEAR)
        wanted = min(most, 1 + self._taken // MAILS_PER_CONNECTION)
        while len(self._sessions) + len(self._openings) < wanted:
            opening = ConnectThread(self._ring)
            self._openings.add(opening)
            opening.start()

    def _is_done(self) -> bool:
        busy = any(not session.is_idle for session in self._sessions)
        return not busy and (self._down is not None or (self._exhausted and not self._given_back))

    def _wait(self) -> None:
        for key, events in self._selector.select(self._patience()):
            session: SmtpConnection | None = key.data
            if session is None:
                self._listen()
            elif events & selectors.EVENT_WRITE:
                session.write()
            if session and events & selectors.EVENT_READ:
                session.read()
        self._look_at_the_clock()

    def _patience(self) -> float:
        """Seconds until something is too late."""
        ends = [session.deadline for session in self._sessions if not session.is_idle]
        ends += [opening.ends_at for opening in self._openings]
        return min(_LOOK_UP_EVERY, max(0.0, min(ends, default=_LOOK_UP_EVERY) - time.monotonic()))

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        for session in list(self._sessions):
            if not session.is_idle and now > session.deadline:
                session.lose(f"The mail server took longer than {MESSAGE_SECONDS:g} s", timed_out=True)
        for opening in list(self._openings):
            if now > opening.ends_at:
                opening.expire()
                self._opened(opening)

    def _ring(self) -> None:
        with suppress(OSError):
            self._bell.send(b"!")

    def _listen(self) -> None:
        with suppress(BlockingIOError):
            self._ears.recv(4096)
        for opening in [opening for opening in self._openings if opening.is_ready]:
            self._opened(opening)

    def _opened(self, opening: ConnectThread) -> None:
        self._openings.discard(opening)
        if not opening.error:
            session = SmtpConnection(opening, self)
            self._sessions.add(session)
            self._selector.register(session.sock, selectors.EVENT_READ, session)
        elif self._sessions or self._openings:
            # It does not want so many of us: those that there are will do.
            self._most = max(1, len(self._sessions) + len(self._openings))
        else:
            self._down = ChannelDown(f"Cannot connect to the mail server: {opening.error}")

    def _next_job(self) -> Envelope | None:
        if self._down:
            return None
        if self._given_back:
            return self._given_back.popleft()
        if self._exhausted:
            return None
        try:
            composed, delivery = next(self._pairs)
        except StopIteration:
            self._exhausted = True
            return None
        self._taken += 1
        return Envelope(composed, delivery)
