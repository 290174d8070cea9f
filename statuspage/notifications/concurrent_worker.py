"""A run over a channel of endpoints: many at once, one at a time each, and none that hangs holds up the others."""

from __future__ import annotations

import logging
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from django.db import Error as DatabaseTrouble

from statuspage.notifications import endpoint_messages
from statuspage.notifications.acknowledgements import AckBuffer
from statuspage.notifications.eligibility import reason_to_skip
from statuspage.notifications.messages.notification import read_notification
from statuspage.notifications.models import ChannelState, Delivery
from statuspage.notifications.transports.base import ChannelDown, Transport, TransportError

logger = logging.getLogger(__name__)

# Who has not answered by then gives its place in the transport's `concurrency` to another …
QUICK_SECONDS = 1.0
# … but no more than this many wait for an answer at the same time.
MOST_IN_HAND = 256
# How long to wait for an answer before looking at the clock, and, while there is nothing due, for new work.
TICK = 0.1
LOOK_EVERY = 0.5
# How long a run that must stop waits for the answers that are still missing. Their leases run out by themselves.
STOP_WITHIN = 4.0


@dataclass(frozen=True)
class Sending:
    """One delivery in hand."""

    delivery: Delivery
    began_at: float = field(default_factory=time.monotonic)

    @property
    def is_slow(self) -> bool:
        return time.monotonic() - self.began_at > QUICK_SECONDS


@dataclass(frozen=True)
class SendOutcome:
    delivery: Delivery
    error: Exception | None = None


class ConcurrentWorker:
    """Claims for as many as there is room for, gives each a thread to wait in, and settles what comes back.

    Only this thread talks to the database; those that send only talk to the endpoint.
    """

    def __init__(
        self, channel: str, transport: Transport, marker: AckBuffer, *, budget: float, stop: threading.Event
    ) -> None:
        self.channel = channel
        self.transport = transport
        self.marker = marker
        self._ends_at = time.monotonic() + budget
        self.stop = stop
        self.settled = 0
        self._in_hand: dict[int, Sending] = {}
        self._outcomes: queue.SimpleQueue[SendOutcome] = queue.SimpleQueue()
        self._rests = False
        self._look_at = 0.0
        self._in_trouble = ChannelState.objects.in_trouble().filter(channel=channel).exists()

    @property
    def goes_on(self) -> bool:
        return not (self._rests or self.stop.is_set() or time.monotonic() > self._ends_at)

    def send_all(self) -> None:
        """Until nothing is due and nothing in hand. After `budget` seconds nothing new is taken."""
        while self._fill() or self._in_hand:
            if self.stop.is_set():
                self._finish(time.monotonic() + STOP_WITHIN)
                return
            self._settle_next(TICK)

    def _fill(self) -> int:
        """How many were claimed."""
        room = self._room()
        if room <= 0 or not self.goes_on or time.monotonic() < self._look_at:
            return 0
        if ChannelState.objects.is_paused(self.channel):
            return 0
        batch = Delivery.objects.claim_one_each(self.channel, token=self.marker.token, limit=room)
        if not batch:
            self._look_at = time.monotonic() + LOOK_EVERY
            return 0
        self.marker.hold([delivery.pk for delivery in batch])
        notification = read_notification([delivery.event_id for delivery in batch if delivery.event_id])
        composed: dict[Any, Any] = {}
        for delivery in batch:
            about = notification.get(delivery.event_id or 0)
            if reason := reason_to_skip(delivery, about):
                delivery.cancel(reason)
                self._done(delivery)
                continue
            key = (delivery.kind, delivery.event_id, delivery.subscriber.page_id)
            if key not in composed:
                composed[key] = self._composed(delivery, about)
            self._start(delivery, composed[key])
        return len(batch)

    def _room(self) -> int:
        quick = sum(not sending.is_slow for sending in self._in_hand.values())
        return min(self.transport.concurrency - quick, MOST_IN_HAND - len(self._in_hand))

    def _composed(self, delivery: Delivery, about: Any) -> Any:
        try:
            return self.transport.compose(delivery, about)
        except DatabaseTrouble:
            raise
        except Exception as error:  # one message that cannot be built must not hold up all others
            return error

    def _start(self, delivery: Delivery, composed: Any) -> None:
        self._in_hand[delivery.pk] = Sending(delivery)
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

    def _finish(self, ends_at: float) -> None:
        while self._in_hand and (left := ends_at - time.monotonic()) > 0:
            self._settle_next(left)
        self.marker.drop(list(self._in_hand))

    def _settle_next(self, patience: float) -> None:
        """All that has come back, once something has."""
        try:
            outcome = self._outcomes.get(timeout=patience)
            while True:
                self._settle(outcome.delivery, outcome.error)
                outcome = self._outcomes.get_nowait()
        except queue.Empty:
            return

    def _settle(self, delivery: Delivery, error: Exception | None) -> None:
        del self._in_hand[delivery.pk]
        self._look_at = 0.0
        if error is None:
            self.marker.accepted(delivery.pk)
            endpoint_messages.accepted(delivery)
            self._works()
        elif isinstance(error, ChannelDown):
            Delivery.objects.release(self.marker.token, [delivery.pk])
            self._rest(str(error))
        else:
            self._refused(delivery, error)
        self._done(delivery)

    def _refused(self, delivery: Delivery, error: Exception) -> None:
        if not isinstance(error, TransportError):
            logger.error("Delivery %s could not be sent.", delivery.pk, exc_info=error)
            error = TransportError(f"Candor could not send this: {error!r}")
        endpoint_messages.refused(delivery, error, waits=self.transport.retry_delays(delivery))

    def _done(self, delivery: Delivery) -> None:
        self.settled += 1
        self.marker.drop([delivery.pk])

    def _works(self) -> None:
        if self._in_trouble:
            ChannelState.objects.recovered(self.channel)
            self._in_trouble = False

    def _rest(self, error: str) -> None:
        if self._rests:
            return
        self._rests = True
        length = ChannelState.objects.pause(self.channel, error)
        logger.warning("%s rests for %d s: %s", self.channel, length.total_seconds(), error)
