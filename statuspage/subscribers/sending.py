"""Claim, check, send, mark: what the Celery task and the dispatcher both call."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from typing import Any

from django.db import Error as DatabaseTrouble

from statuspage.subscribers.bounces import refused
from statuspage.subscribers.marker import Marker
from statuspage.subscribers.models import ChannelState, Delivery
from statuspage.subscribers.news import News, read_news
from statuspage.subscribers.parallel import ParallelRun
from statuspage.subscribers.reasons import why_not
from statuspage.subscribers.transports import TRANSPORTS, ChannelDown, Transport, TransportError

logger = logging.getLogger(__name__)

# One claim: big enough that the claim costs little per row, small enough that what is checked is sent soon after.
BATCH = 50
# Short, so that a stopping worker ends soon by itself; the next ring of the doorbell goes on.
BUDGET_SECONDS = 5.0


def deliver_due(channel: str, *, budget: float = BUDGET_SECONDS, stop: threading.Event | None = None) -> int:
    """Send what is due on `channel`, for `budget` seconds or until `stop` is set; how many deliveries were settled.

    Returns early when nothing is due or the channel rests. What was claimed and not tried is given back.
    """
    token = secrets.token_hex(8)
    with TRANSPORTS[channel]() as transport, Marker(token) as marker:
        kind = ParallelRun if transport.concurrency > 1 else Run
        run = kind(channel, transport, marker, budget=budget, stop=stop or threading.Event())
        run.send_all()
    if run.settled:
        logger.info("%s: %d settled, at most %d marked at once", channel, run.settled, marker.largest_flush)
    return run.settled


class Run:
    """One worker's run over one channel: batch after batch, over one open connection."""

    def __init__(
        self, channel: str, transport: Transport, marker: Marker, *, budget: float, stop: threading.Event
    ) -> None:
        self.channel = channel
        self.transport = transport
        self.marker = marker
        self.ends_at = time.monotonic() + budget
        self.stop = stop
        self.settled = 0
        self._rests = False
        self._in_trouble = ChannelState.objects.in_trouble().filter(channel=channel).exists()

    @property
    def goes_on(self) -> bool:
        return not (self._rests or self.stop.is_set() or time.monotonic() > self.ends_at)

    def send_all(self) -> None:
        while self.goes_on and self.send_batch():
            pass

    def send_batch(self) -> int:
        """How many deliveries were claimed. Those that `goes_on` leaves no time for are given back."""
        if ChannelState.objects.is_paused(self.channel):
            return 0
        batch = Delivery.objects.claim(self.channel, token=self.marker.token, limit=BATCH)
        left = {delivery.pk: delivery for delivery in batch}
        self.marker.hold(list(left))
        try:
            self._send_claimed(left)
        finally:
            self._give_back(list(left))
        return len(batch)

    def _send_claimed(self, left: dict[int, Delivery]) -> None:
        """Take out of `left` what is tried."""
        news = read_news([delivery.event_id for delivery in left.values() if delivery.event_id])
        composed: dict[Any, Any] = {}
        for pk in list(left):
            if not self.goes_on:
                break
            delivery = left.pop(pk)
            try:
                self._send_one(delivery, news.get(delivery.event_id or 0), composed)
            except ChannelDown as fault:
                left[pk] = delivery
                self._rest(str(fault))
                break
            self.settled += 1
            self.marker.drop([pk])

    def _send_one(self, delivery: Delivery, news: News | None, composed: dict[Any, Any]) -> None:
        reason = why_not(delivery, news)
        if reason:
            delivery.cancel(reason)
            return
        reader = delivery.subscriber
        key = (delivery.kind, delivery.event_id, reader.page_id, reader.language, str(reader.zone))
        try:
            if key not in composed:
                composed[key] = self.transport.compose(delivery, news)
            self.transport.send(composed[key], delivery)
        except TransportError as error:
            self._refused(delivery, str(error), permanent=error.permanent)
        except (ChannelDown, DatabaseTrouble):
            raise
        except Exception as error:  # one message that cannot be built must not hold up all others
            logger.exception("Delivery %s could not be sent.", delivery.pk)
            self._refused(delivery, f"Candor could not send this: {error!r}", permanent=False)
        else:
            self.marker.accepted(delivery.pk)
            self._works()

    def _refused(self, delivery: Delivery, error: str, *, permanent: bool) -> None:
        waits = self.transport.retry_after
        if permanent:
            delivery.fail(error)
            refused(delivery, error)
        elif delivery.attempts >= len(waits):
            delivery.fail(f"Given up after {delivery.attempts + 1} attempts. Last answer: {error}")
        else:
            delivery.defer(error, after=waits[delivery.attempts])

    def _works(self) -> None:
        if self._in_trouble:
            ChannelState.objects.recovered(self.channel)
            self._in_trouble = False

    def _rest(self, error: str) -> None:
        self._rests = True
        length = ChannelState.objects.pause(self.channel, error)
        logger.warning("%s rests for %d s: %s", self.channel, length.total_seconds(), error)

    def _give_back(self, ids: list[int]) -> None:
        self.marker.drop(ids)
        if ids:
            Delivery.objects.release(self.marker.token, ids)
