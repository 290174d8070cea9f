"""Sends emails over several SMTP connections at once, in one thread: each idle connection gets the next email."""

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

# Open one more connection per this number of emails, …
EMAILS_PER_CONNECTION = 8
# … or per this number if the server is slow, that is, takes at least this long to reply to a text.
EMAILS_PER_SLOW_CONNECTION = 2
SLOW_RESPONSE_SECONDS = 0.1
# Enough connections for a server that replies immediately. More are opened only for a distant server, …
MAX_CONNECTIONS_WHEN_NEAR = 4
# … whose replies to a text take at least this long on average.
FAR_RESPONSE_SECONDS = 0.004
# After this number of broken connections in a row, the cause is not a single message.
MAX_BROKEN_IN_A_ROW = 3
# Older connections are opened again: the name of the server may have moved to another address.
MAX_AGE_SECONDS = 300.0
_MAX_WAIT_SECONDS = 1.0


class SmtpPool:
    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wakeup_writer, self._wakeup_reader = socket.socketpair()
        self._wakeup_writer.settimeout(0)
        self._wakeup_reader.settimeout(0)
        self._selector.register(self._wakeup_reader, selectors.EVENT_READ)
        self._connections: set[SmtpConnection] = set()
        self._connect_threads: set[ConnectThread] = set()
        self._max_connections = max(1, settings.SMTP_CONNECTIONS)
        self._pairs: Iterator[tuple[Composed, Delivery]] = iter(())
        self._returned: deque[Envelope] = deque()
        self._outcomes: deque[Outcome] = deque()
        self._taken = 0
        self._accepted = 0
        self._broken_in_a_row = 0
        # The average time that the server takes to reply to a text.
        self.response_seconds = 0.0
        self._exhausted = True
        self._channel_down: ChannelDown | None = None

    def send_many(self, pairs: Iterator[tuple[Composed, Delivery]]) -> Iterator[Outcome]:
        """See Transport.send_many."""
        self._pairs, self._exhausted, self._channel_down = pairs, False, None
        self._taken = self._accepted = self._broken_in_a_row = 0
        while True:
            self._assign_envelopes()
            while self._outcomes:
                yield self._outcomes.popleft()
            if self._is_done():
                break
            self._wait()
        if self._channel_down:
            raise self._channel_down

    def end_run(self) -> bool:
        """Drop what belongs to the run that ended. Return whether connections remain for the next one."""
        for connection in list(self._connections):
            if self._channel_down or not connection.is_idle or connection.age > MAX_AGE_SECONDS:
                connection.close()
        self._pairs, self._exhausted = iter(()), True
        self._returned.clear()
        self._outcomes.clear()
        return not self._channel_down and bool(self._connections or self._connect_threads)

    def begin_run(self) -> None:
        """Add connections that were opened since the last run; drop those that failed or that the server closed."""
        self._max_connections = max(1, settings.SMTP_CONNECTIONS)
        for connect_thread in list(self._connect_threads):
            if connect_thread.is_ready and connect_thread.error:
                self._connect_threads.discard(connect_thread)
            elif connect_thread.is_ready:
                self._add_connection(connect_thread)
        # The only thing that a server sends to an idle client is that it closes the connection.
        for key, _ in self._selector.select(0):
            if key.data is not None:
                key.data.close()
        for connection in self._connections:
            connection.is_reused = True

    def close(self) -> None:
        for connect_thread in self._connect_threads:
            connect_thread.abandon()
        for connection in list(self._connections):
            connection.close()
        self.close_files()

    def close_files(self) -> None:
        """Close the file descriptors without a word to the server. After a fork, the parent uses the connections."""
        for connection in self._connections:
            connection.sock.close()
        self._selector.close()
        self._wakeup_reader.close()
        self._wakeup_writer.close()

    # Called by connections.

    def take_envelope(self, connection: SmtpConnection) -> Envelope | None:
        """Return the next email, encoded for the server of `connection`."""
        while envelope := self._next_envelope():
            try:
                envelope.prepare(connection.features)
            except Exception as error:  # one invalid email must not block the others
                self._outcomes.append((envelope.delivery, error))
            else:
                return envelope
        return None

    def settle(self, envelope: Envelope, error: Exception | None) -> None:
        if isinstance(error, ChannelDown):
            self._channel_down = error
            return
        if error is None:
            self._broken_in_a_row = 0
            self._accepted += 1
            seconds = time.monotonic() - envelope.text_sent_at
            known = self.response_seconds or seconds
            self.response_seconds = known + (seconds - known) / EMAILS_PER_CONNECTION
        self._outcomes.append((envelope.delivery, error))

    def handle_broken_connection(self, envelope: Envelope, error: TransportError, *, timed_out: bool) -> None:
        """Handle a connection that broke while sending `envelope`.

        The delivery is settled if it may have arrived or the time limit was exceeded; otherwise it is sent again.
        """
        self._broken_in_a_row += 1
        is_hopeless = self._broken_in_a_row >= MAX_BROKEN_IN_A_ROW or (timed_out and not self._accepted)
        if is_hopeless:
            self._channel_down = ChannelDown(str(error))
        if timed_out or error.in_doubt or not is_hopeless:
            self._outcomes.append((envelope.delivery, error))

    def put_back(self, envelope: Envelope) -> None:
        self._returned.append(envelope)

    def update_events(self, connection: SmtpConnection) -> None:
        """Register whether `connection` waits to read or also to write."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.is_watched_for_writing else 0)
        self._selector.modify(connection.sock, events, connection)

    def remove(self, connection: SmtpConnection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            self._selector.unregister(connection.sock)

    # One iteration of the loop.

    def _assign_envelopes(self) -> None:
        for connection in [connection for connection in self._connections if connection.is_idle]:
            envelope = self.take_envelope(connection)
            if envelope is None:
                break
            connection.start(envelope)
        if self._has_work():
            self._open_connections()

    def _has_work(self) -> bool:
        """Return whether an email waits for a connection. Takes one email ahead while there is no connection."""
        if not (self._returned or self._connections or self._connect_threads) and (envelope := self._next_envelope()):
            self._returned.append(envelope)
        return not self._channel_down and bool(self._returned or not self._exhausted)

    def _open_connections(self) -> None:
        max_connections = (
            self._max_connections
            if self.response_seconds > FAR_RESPONSE_SECONDS
            else min(self._max_connections, MAX_CONNECTIONS_WHEN_NEAR)
        )
        is_slow = self.response_seconds > SLOW_RESPONSE_SECONDS
        emails = EMAILS_PER_SLOW_CONNECTION if is_slow else EMAILS_PER_CONNECTION
        target = min(max_connections, 1 + self._taken // emails)
        while len(self._connections) + len(self._connect_threads) < target:
            connect_thread = ConnectThread(self._wake)
            self._connect_threads.add(connect_thread)
            connect_thread.start()

    def _is_done(self) -> bool:
        is_busy = any(not connection.is_idle for connection in self._connections)
        return not is_busy and (self._channel_down is not None or (self._exhausted and not self._returned))

    def _wait(self) -> None:
        for key, events in self._selector.select(self._select_timeout()):
            connection: SmtpConnection | None = key.data
            if connection is None:
                self._collect_connections()
            elif events & selectors.EVENT_WRITE:
                connection.write()
            if connection and events & selectors.EVENT_READ:
                connection.read()
        self._check_deadlines()

    def _select_timeout(self) -> float:
        """Return the number of seconds until the next deadline."""
        deadlines = [connection.deadline for connection in self._connections if not connection.is_idle]
        deadlines += [connect_thread.deadline for connect_thread in self._connect_threads]
        return min(_MAX_WAIT_SECONDS, max(0.0, min(deadlines, default=_MAX_WAIT_SECONDS) - time.monotonic()))

    def _check_deadlines(self) -> None:
        now = time.monotonic()
        for connection in list(self._connections):
            if not connection.is_idle and now > connection.deadline:
                connection.fail(f"The mail server took longer than {MESSAGE_SECONDS:g} s", timed_out=True)
        for connect_thread in list(self._connect_threads):
            if now > connect_thread.deadline:
                connect_thread.expire()
                self._add_connection(connect_thread)

    def _wake(self) -> None:
        with suppress(OSError):
            self._wakeup_writer.send(b"!")

    def _collect_connections(self) -> None:
        with suppress(BlockingIOError):
            self._wakeup_reader.recv(4096)
        for connect_thread in [connect_thread for connect_thread in self._connect_threads if connect_thread.is_ready]:
            self._add_connection(connect_thread)

    def _add_connection(self, connect_thread: ConnectThread) -> None:
        self._connect_threads.discard(connect_thread)
        if not connect_thread.error:
            connection = SmtpConnection(connect_thread, self)
            self._connections.add(connection)
            self._selector.register(connection.sock, selectors.EVENT_READ, connection)
        elif self._connections or self._connect_threads:
            # The server limits the number of connections: use those that are open.
            self._max_connections = max(1, len(self._connections) + len(self._connect_threads))
        else:
            self._channel_down = ChannelDown(f"Cannot connect to the mail server: {connect_thread.error}")

    def _next_envelope(self) -> Envelope | None:
        if self._channel_down:
            return None
        if self._returned:
            return self._returned.popleft()
        if self._exhausted:
            return None
        try:
            composed, delivery = next(self._pairs)
        except StopIteration:
            self._exhausted = True
            return None
        self._taken += 1
        return Envelope(composed, delivery)
