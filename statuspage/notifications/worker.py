"""Claim, check, send, mark: what the Celery task and the dispatcher both call."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from django.db import Error as DatabaseTrouble

from statuspage.notifications.acknowledgements import AckBuffer
from statuspage.notifications.batches import Batch, BatchPrefetcher, batch_size
from statuspage.notifications.bounces.bounces import refused
from statuspage.notifications.concurrent_worker import ConcurrentWorker
from statuspage.notifications.eligibility import reason_to_skip
from statuspage.notifications.models import ChannelState, Delivery
from statuspage.notifications.transports import TRANSPORTS, ChannelDown, Transport, TransportError

logger = logging.getLogger(__name__)

# Short, so that a stopping worker ends soon by itself; the next ring of the doorbell goes on.
BUDGET_SECONDS = 5.0
TWICE_IN_DOUBT = "Sent twice and never answered: it may have arrived. {error}"


def deliver_due(channel: str, *, budget: float = BUDGET_SECONDS, stop: threading.Event | None = None) -> int:
    """Send what is due on `channel`, for `budget` seconds or until `stop` is set; how many deliveries were settled.

    Returns early when nothing is due or the channel rests. What was claimed and not tried is given back.
    """
    token = secrets.token_hex(8)
    with TRANSPORTS[channel]() as transport, AckBuffer(token) as marker:
        kind = ConcurrentWorker if transport.concurrency > 1 else Worker
        run = kind(channel, transport, marker, budget=budget, stop=stop or threading.Event())
        run.send_all()
    if run.settled:
        logger.info("%s: %d settled, at most %d marked at once", channel, run.settled, marker.largest_flush)
    return run.settled


class Worker:
    """One worker's run over one channel: batch after batch, over connections that stay open."""

    def __init__(
        self, channel: str, transport: Transport, marker: AckBuffer, *, budget: float, stop: threading.Event
    ) -> None:
        self.channel = channel
        self.transport = transport
        self.marker = marker
        self.stop = stop
        self.settled = 0
        self._began = time.monotonic()
        self._ends_at = self._began + budget
        self._left: dict[int, Delivery] = {}
        self._in_trouble = ChannelState.objects.in_trouble().filter(channel=channel).exists()
        self._intake = BatchPrefetcher(channel, marker, self._batch_size)

    @property
    def goes_on(self) -> bool:
        return not self.stop.is_set() and time.monotonic() < self._ends_at

    def send_all(self) -> None:
        """Until nothing is due, time is over or the channel is down. What is left then is given back."""
        try:
            for delivery, error in self.transport.send_many(self._ready()):
                self._settle(delivery, error)
        except ChannelDown as fault:
            self._rest(str(fault))
        finally:
            self._release()

    def _ready(self) -> Iterator[tuple[Any, Delivery]]:
        """What may be sent, one after the other, with what the transport made of its news."""
        composed: dict[Any, Any] = {}
        while self.goes_on and (batch := self._intake.next()).deliveries:
            waiting = deque(batch.deliveries)
            self._left |= {delivery.pk: delivery for delivery in waiting}
            while waiting and self.goes_on:
                if batch.is_stale:
                    waiting = self._refreshed(batch, waiting)
                    continue
                delivery = waiting.popleft()
                if self._is_fit(delivery, batch, composed):
                    yield composed[_letter_key(delivery)], delivery

    def _refreshed(self, batch: Batch, waiting: deque[Delivery]) -> deque[Delivery]:
        """What is left to send of `batch`. Rows whose lease ran out, or was taken for such, are another's now."""
        held = deque(batch.refresh(waiting))
        for lost in {delivery.pk for delivery in waiting} - {delivery.pk for delivery in held}:
            self._left.pop(lost, None)
            self.marker.drop([lost])
        return held

    def _is_fit(self, delivery: Delivery, batch: Batch, composed: dict[Any, Any]) -> bool:
        """Whether it may be sent, and is in `composed`; if not, it is settled."""
        notification = batch.notification.get(delivery.event_id or 0)
        if reason := reason_to_skip(delivery, notification):
            delivery.cancel(reason)
            self._done(delivery)
            return False
        key = _letter_key(delivery)
        if key not in composed:
            try:
                composed[key] = self.transport.compose(delivery, notification)
            except DatabaseTrouble:
                raise
            except Exception as error:  # one message that cannot be built must not hold up all others
                self._settle(delivery, error)
                return False
        return True

    def _settle(self, delivery: Delivery, error: Exception | None) -> None:
        if error is None:
            self._left.pop(delivery.pk, None)
            self.settled += 1
            self.marker.accepted(delivery.pk)
            self._works()
            return
        if not isinstance(error, TransportError):
            logger.error("Delivery %s could not be sent.", delivery.pk, exc_info=error)
            error = TransportError(f"Candor could not send this: {error!r}")
        self._refused(delivery, error)
        self._done(delivery)

    def _refused(self, delivery: Delivery, error: TransportError) -> None:
        waits = self.transport.retry_after
        if error.permanent:
            delivery.fail(str(error))
            refused(delivery, str(error))
        elif error.in_doubt and delivery.in_doubt:
            delivery.fail(TWICE_IN_DOUBT.format(error=error))
        elif delivery.attempts >= len(waits):
            delivery.fail(f"Given up after {delivery.attempts + 1} attempts. Last answer: {error}")
        else:
            delivery.defer(str(error), after=waits[delivery.attempts], in_doubt=error.in_doubt)

    def _done(self, delivery: Delivery) -> None:
        self._left.pop(delivery.pk, None)
        self.settled += 1
        self.marker.drop([delivery.pk])

    def _batch_size(self) -> int:
        return batch_size(self.settled, time.monotonic() - self._began)

    def _works(self) -> None:
        if self._in_trouble:
            ChannelState.objects.recovered(self.channel)
            self._in_trouble = False

    def _rest(self, error: str) -> None:
        length = ChannelState.objects.pause(self.channel, error)
        logger.warning("%s rests for %d s: %s", self.channel, length.total_seconds(), error)

    def _release(self) -> None:
        ids = [*self._left, *(delivery.pk for delivery in self._intake.close())]
        self.marker.drop(ids)
        if ids:
            Delivery.objects.release(self.marker.token, ids)


def _letter_key(delivery: Delivery) -> tuple[object, ...]:
    """Deliveries that share it are composed once."""
    if delivery.subscriber_id is None:
        return delivery.kind, delivery.pk
    reader = delivery.subscriber
    return delivery.kind, delivery.event_id, reader.page_id, reader.language, str(reader.zone)
