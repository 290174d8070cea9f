"""What a run sends next: batch after batch, the next one claimed while the present one is being sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from django.db import connection

from statuspage.notifications.acknowledgements import AckBuffer
from statuspage.notifications.messages.notification import Notification, read_notification
from statuspage.notifications.models import ChannelState, Delivery
from statuspage.notifications.models.claim_position import ClaimPosition

# A batch holds what this many seconds can send: so long may an urgent mail wait behind what was claimed before it.
BATCH_SECONDS = 0.25
FIRST_BATCH, SMALLEST_BATCH, LARGEST_BATCH = 8, 4, 500
# What was read longer ago is read again before it is sent: meanwhile an incident may have been hidden.
FRESH_SECONDS = 0.5


class NotificationCache:
    """What events tell, read again whenever it is older than FRESH_SECONDS."""

    def __init__(self) -> None:
        self._news: dict[int, Notification] = {}
        self._read_at = 0.0

    @property
    def is_stale(self) -> bool:
        return time.monotonic() - self._read_at > FRESH_SECONDS

    def read(self, deliveries: Iterable[Delivery]) -> dict[int, Notification]:
        wanted = {delivery.event_id for delivery in deliveries if delivery.event_id}
        if self.is_stale or not wanted <= self._news.keys():
            self._read_at = time.monotonic()
            self._news = read_notification(wanted)
        return self._news


@dataclass
class Batch:
    """Deliveries claimed for `token`, of `wanted` many, and what they tell."""

    token: str
    deliveries: list[Delivery]
    wanted: int = 0
    notification: dict[int, Notification] = field(default_factory=dict)
    read_at: float = field(default_factory=time.monotonic)

    @property
    def is_stale(self) -> bool:
        return time.monotonic() - self.read_at > FRESH_SECONDS

    def refresh(self, waiting: Iterable[Delivery]) -> list[Delivery]:
        """Read again what is told, and to whom. Those of `waiting` that are still ours to send."""
        held = Delivery.objects.still_claimed(self.token, list(waiting))
        self.notification = NotificationCache().read(held)
        self.read_at = time.monotonic()
        return held


class BatchPrefetcher:
    """Claims for one run. Whatever it claimed is in `acks`'s hold until somebody drops it."""

    def __init__(self, channel: str, acks: AckBuffer, size: Callable[[], int]) -> None:
        self._channel = channel
        self._acks = acks
        self._size = size
        self._ahead: Future[Batch] | None = None
        self._helper: ThreadPoolExecutor | None = None
        self._cache = NotificationCache()
        self._position = ClaimPosition()

    def next(self) -> Batch:
        """Empty if nothing is due, or the channel is paused."""
        size = self._size()
        ahead, self._ahead = self._ahead, None
        batch = ahead.result() if ahead else self._claim(size)
        # A batch that is not full was the last one: no need to hurry for what may come.
        if len(batch.deliveries) == batch.wanted:
            self._helper = self._helper or ThreadPoolExecutor(1, thread_name_prefix="batch-prefetcher")
            self._ahead = self._helper.submit(self._claim, size)
        return batch

    def close(self) -> list[Delivery]:
        """What was claimed ahead, and is nobody's now."""
        ahead, self._ahead = self._ahead, None
        try:
            return ahead.result().deliveries if ahead else []
        finally:
            if self._helper:
                self._helper.submit(_close_connection)
                self._helper.shutdown()

    def _claim(self, size: int) -> Batch:
        if ChannelState.objects.is_paused(self._channel):
            return Batch(self._acks.token, [])
        deliveries = Delivery.objects.claim(self._channel, token=self._acks.token, limit=size, position=self._position)
        self._acks.hold([delivery.pk for delivery in deliveries])
        return Batch(self._acks.token, deliveries, size, self._cache.read(deliveries))


def _close_connection() -> None:
    """That of the thread which calls it."""
    connection.close()


def batch_size(settled: int, seconds: float) -> int:
    """How many BATCH_SECONDS can send, told by how many were settled in the `seconds` so far."""
    if not settled:
        return FIRST_BATCH
    return max(SMALLEST_BATCH, min(LARGEST_BATCH, int(settled / max(seconds, 0.001) * BATCH_SECONDS)))
