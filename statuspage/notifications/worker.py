"""Claims, checks, sends and records deliveries. Called by the Celery task and by the dispatcher."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from statuspage.notifications.acknowledgements import AckBuffer
from statuspage.notifications.batches import Batch, BatchPrefetcher, batch_size
from statuspage.notifications.concurrent_worker import ConcurrentWorker
from statuspage.notifications.failures import Failure, FailureGroup
from statuspage.notifications.models import Delivery, Installation
from statuspage.notifications.transports import TRANSPORTS, ChannelDown, Transport
from statuspage.notifications.worker_base import SKIPPED, ChannelWorker, as_transport_error

logger = logging.getLogger(__name__)

# Short, so that a stopping worker ends soon by itself. The next wake-up continues.
BUDGET_SECONDS = 5.0


def deliver_due(channel: str, *, budget: float = BUDGET_SECONDS, stop: threading.Event | None = None) -> int:
    """Send what is due on `channel`, for `budget` seconds or until `stop` is set. Return how many were settled.

    Returns early when nothing is due or the channel is paused. Claimed deliveries that were not tried are released.
    """
    if Installation.objects.is_held():
        return 0
    token = secrets.token_hex(8)
    with TRANSPORTS[channel]() as transport, AckBuffer(token) as acks:
        worker_class = ConcurrentWorker if transport.concurrency > 1 else Worker
        worker = worker_class(channel, transport, acks, budget=budget, stop=stop or threading.Event())
        worker.send_all()
    if worker.settled:
        logger.info("%s: %d settled, at most %d recorded at once", channel, worker.settled, acks.largest_flush)
    return worker.settled


class Worker(ChannelWorker):
    """Sends batch after batch over connections that stay open."""

    def __init__(
        self, channel: str, transport: Transport, acks: AckBuffer, *, budget: float, stop: threading.Event
    ) -> None:
        super().__init__(channel, transport, acks, budget=budget, stop=stop)
        self._unsettled: dict[int, Delivery] = {}
        self._prefetcher = BatchPrefetcher(channel, acks, self._batch_size)
        self._failures = FailureGroup(acks.token)

    def send_all(self) -> None:
        """Send until nothing is due, the time is over or the channel is down. Then release what is left."""
        try:
            self._send_claimed()
            self._record_failures()
        finally:
            self._release()

    def _send_claimed(self) -> None:
        try:
            for delivery, error in self.transport.send_many(self._sendable()):
                self._settle(delivery, error)
        except ChannelDown as error:
            self._pause_channel(str(error))

    def _sendable(self) -> Iterator[tuple[Any, Delivery]]:
        """The deliveries that may be sent, one after the other, each with its composed message."""
        cache: dict[Any, Any] = {}
        is_first = True
        while self.is_running and (batch := self._prefetcher.next()).deliveries:
            waiting = deque(batch.deliveries)
            self._unsettled |= {delivery.pk: delivery for delivery in waiting}
            while waiting and self.is_running:
                if batch.is_stale:
                    waiting = self._refresh(batch, waiting)
                    continue
                delivery = waiting.popleft()
                composed = self._compose(delivery, batch.notification.get(delivery.event_id or 0), cache)
                if isinstance(composed, Exception):
                    self._settle(delivery, composed)
                elif composed is not SKIPPED:
                    yield composed, delivery
                    if is_first:
                        # The transport takes the first delivery, then connects, then takes the second.
                        self._restart_clock()
                        is_first = False

    def _refresh(self, batch: Batch, waiting: deque[Delivery]) -> deque[Delivery]:
        """Return what is left to send of `batch`. Rows whose lease expired belong to another worker now."""
        claimed = deque(batch.refresh(waiting))
        for lost in {delivery.pk for delivery in waiting} - {delivery.pk for delivery in claimed}:
            self._unsettled.pop(lost, None)
            self.acks.drop([lost])
        return claimed

    def _settle(self, delivery: Delivery, error: Exception | None) -> None:
        if error is None:
            self._unsettled.pop(delivery.pk, None)
            self.settled += 1
            self.acks.accepted(delivery.pk)
            self._record_success()
        else:
            failure = Failure.of(delivery, as_transport_error(delivery, error), self.transport.retry_after)
            self._failures.add(delivery, failure)
        if self._failures.is_due:
            self._record_failures()

    def _record_failures(self) -> None:
        for delivery in self._failures.record():
            self._done(delivery)

    def _done(self, delivery: Delivery) -> None:
        self._unsettled.pop(delivery.pk, None)
        super()._done(delivery)

    def _batch_size(self) -> int:
        return batch_size(self.settled, time.monotonic() - self._started_at)

    def _release(self) -> None:
        ids = [*self._unsettled, *(delivery.pk for delivery in self._prefetcher.close())]
        self.acks.drop(ids)
        if ids:
            Delivery.objects.release(self.acks.token, ids)
