"""What the worker for email and the concurrent worker for endpoints share."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from django.db import Error as DatabaseTrouble

from statuspage.notifications.acknowledgements import AckBuffer
from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.models import ChannelState, Delivery
from statuspage.notifications.skip_reasons import reason_to_skip
from statuspage.notifications.staff.deliveries import NoLongerTrue
from statuspage.notifications.transports.base import Transport, TransportError

logger = logging.getLogger(__name__)

SKIPPED = object()


class ChannelWorker:
    """One run over one channel: claims due deliveries, checks, composes and sends them, and records the outcomes."""

    def __init__(
        self, channel: str, transport: Transport, acks: AckBuffer, *, budget: float, stop: threading.Event
    ) -> None:
        self.channel = channel
        self.transport = transport
        self.acks = acks
        self.stop = stop
        self.settled = 0
        self._budget = budget
        self._restart_clock()
        self._is_channel_down = False
        self._in_trouble = ChannelState.objects.in_trouble().filter(channel=channel).exists()

    @property
    def is_running(self) -> bool:
        """Whether more deliveries may be claimed."""
        return not (self._is_channel_down or self.stop.is_set() or time.monotonic() > self._ends_at)

    def _restart_clock(self) -> None:
        self._started_at = time.monotonic()
        self._ends_at = self._started_at + self._budget

    def send_all(self) -> None:
        raise NotImplementedError

    def _compose(self, delivery: Delivery, notification: Notification | None, cache: dict[Any, Any]) -> Any:
        """Return the composed message, or the error that checking or composing it raised. SKIPPED if it must not be
        sent: then it is canceled and settled."""
        if notification:
            # The IDs of the message are derived from them; reading them again would take a query for each delivery.
            delivery.event, delivery.incident = notification.event, notification.incident
        key = compose_key(delivery)
        try:
            reason = reason_to_skip(delivery, notification)
            if not reason and key not in cache:
                cache[key] = self.transport.compose(delivery, notification)
        except NoLongerTrue as error:
            reason = str(error)
        except DatabaseTrouble:
            raise
        except Exception as error:  # one message that cannot be composed must not block the others
            return error
        if not reason:
            return cache[key]
        delivery.cancel(reason)
        self._done(delivery)
        return SKIPPED

    def _done(self, delivery: Delivery) -> None:
        self.settled += 1
        self.acks.drop([delivery.pk])

    def _record_success(self) -> None:
        if self._in_trouble:
            ChannelState.objects.recovered(self.channel)
            self._in_trouble = False

    def _pause_channel(self, error: str) -> None:
        if self._is_channel_down:
            return
        self._is_channel_down = True
        length = ChannelState.objects.pause(self.channel, error)
        logger.warning("The channel %s is paused for %d seconds: %s", self.channel, length.total_seconds(), error)


def as_transport_error(delivery: Delivery, error: Exception) -> TransportError:
    """Return `error` itself if it is a TransportError; log any other and wrap it in one that is retried."""
    if isinstance(error, TransportError):
        return error
    logger.error("Delivery %s could not be sent.", delivery.pk, exc_info=error)
    return TransportError(f"Candor could not send this: {error!r}")


def compose_key(delivery: Delivery) -> tuple[object, ...]:
    """Deliveries with the same key are composed once."""
    if delivery.subscriber_id is None:
        return delivery.kind, delivery.pk
    subscriber = delivery.subscriber
    return delivery.kind, delivery.event_id, subscriber.page_id, subscriber.language, str(subscriber.zone)
