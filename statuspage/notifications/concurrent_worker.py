"""Sends to endpoints: to many at once, one message at a time each. A slow endpoint does not delay the others."""

from __future__ import annotations

import logging
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from statuspage.notifications import endpoint_messages
from statuspage.notifications.acknowledgements import AckBuffer
from statuspage.notifications.messages.notification import read_notification
from statuspage.notifications.models import ChannelState, Delivery
from statuspage.notifications.transports.base import ChannelDown, Transport
from statuspage.notifications.worker_base import SKIPPED, ChannelWorker, as_transport_error

logger = logging.getLogger(__name__)

# An endpoint that has not responded by then no longer counts against the transport's `concurrency`, …
QUICK_SECONDS = 1.0
# … but no more than this many requests wait for a response at the same time.
MAX_SENDING = 256
# How long to wait for a response before checking the time, and, while nothing is due, for new deliveries.
TICK = 0.1
LOOK_EVERY = 0.5
# How long a stopping run waits for responses. The leases of the rest expire.
STOP_WITHIN = 4.0


@dataclass(frozen=True)
class Sending:
    """A delivery that is being sent."""

    delivery: Delivery
    began_at: float = field(default_factory=time.monotonic)

    @property
    def is_slow(self) -> bool:
        return time.monotonic() - self.began_at > QUICK_SECONDS


@dataclass(frozen=True)
class SendOutcome:
    delivery: Delivery
    error: Exception | None = None


class ConcurrentWorker(ChannelWorker):
    """Claims as many deliveries as there is room for, sends each in its own thread, and records the outcomes.

    Only this thread uses the database; the sending threads only call the endpoints.
    """

    def __init__(
        self, channel: str, transport: Transport, acks: AckBuffer, *, budget: float, stop: threading.Event
    ) -> None:
        super().__init__(channel, transport, acks, budget=budget, stop=stop)
        self._sending: dict[int, Sending] = {}
        self._outcomes: queue.SimpleQueue[SendOutcome] = queue.SimpleQueue()
        self._next_claim_at = 0.0

    def send_all(self) -> None:
        """Send until nothing is due and nothing is being sent. After `budget` seconds nothing more is claimed."""
        while self._fill() or self._sending:
            if self.stop.is_set():
                self._finish(time.monotonic() + STOP_WITHIN)
                return
            self._settle_next(TICK)

    def _fill(self) -> int:
        """Claim and start as many deliveries as there is room for. Return how many."""
        room = self._room()
        if room <= 0 or not self.is_running or time.monotonic() < self._next_claim_at:
            return 0
        if ChannelState.objects.is_paused(self.channel):
            return 0
        batch = Delivery.objects.claim_one_each(self.channel, token=self.acks.token, limit=room)
        if not batch:
            self._next_claim_at = time.monotonic() + LOOK_EVERY
            return 0
        self.acks.hold([delivery.pk for delivery in batch])
        notifications = read_notification([delivery.event_id for delivery in batch if delivery.event_id])
        cache: dict[Any, Any] = {}
        for delivery in batch:
            composed = self._compose(delivery, notifications.get(delivery.event_id or 0), cache)
            if composed is not SKIPPED:
                self._start(delivery, composed)
        return len(batch)

    def _room(self) -> int:
        quick = sum(not sending.is_slow for sending in self._sending.values())
        return min(self.transport.concurrency - quick, MAX_SENDING - len(self._sending))

    def _start(self, delivery: Delivery, composed: Any) -> None:
        self._sending[delivery.pk] = Sending(delivery)
        threading.Thread(target=self._send, args=(delivery, composed), name=self.channel, daemon=True).start()

    def _send(self, delivery: Delivery, composed: Any) -> None:
        try:
            if isinstance(composed, Exception):
                raise composed
            self.transport.send(composed, delivery)
        except Exception as error:
            self._outcomes.put(SendOutcome(delivery, error))
        else:
            self._outcomes.put(SendOutcome(delivery))

    def _finish(self, deadline: float) -> None:
        while self._sending and (left := deadline - time.monotonic()) > 0:
            self._settle_next(left)
        self.acks.drop(list(self._sending))

    def _settle_next(self, timeout: float) -> None:
        """Wait for an outcome, then settle all that are there."""
        try:
            outcome = self._outcomes.get(timeout=timeout)
            while True:
                self._settle(outcome.delivery, outcome.error)
                outcome = self._outcomes.get_nowait()
        except queue.Empty:
            return

    def _settle(self, delivery: Delivery, error: Exception | None) -> None:
        del self._sending[delivery.pk]
        self._next_claim_at = 0.0
        if error is None:
            self.acks.accepted(delivery.pk)
            endpoint_messages.accepted(delivery)
            self._record_success()
        elif isinstance(error, ChannelDown):
            Delivery.objects.release(self.acks.token, [delivery.pk])
            self._pause_channel(str(error))
        else:
            delays = self.transport.retry_delays(delivery)
            endpoint_messages.refused(delivery, as_transport_error(delivery, error), waits=delays)
        self._done(delivery)
