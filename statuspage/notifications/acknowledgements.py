"""Group commit: what the other side accepted is marked at once, one by one at low rates, in groups at high ones."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import Self

from django.db import Error as DatabaseTrouble
from django.db import connection

from statuspage.notifications.models import Delivery
from statuspage.notifications.models.deliveries import LEASE

logger = logging.getLogger(__name__)

# At most so many are accepted and not yet marked: what a `kill -9` can double is bounded, however slow the database.
MAX_IN_DOUBT = 128
# At high rates flushes come no faster than this, so that each carries many; the first after a pause comes at once.
FLUSH_EVERY = 0.005
_FLUSH_AT = MAX_IN_DOUBT // 2
RENEW_EVERY = LEASE.total_seconds() / 4
# A short outage of the database causes no duplicates: recording is retried for this long.
GIVE_UP_AFTER = 30.0
RETRY_EVERY = 0.2


class AckBuffer:
    """A thread that marks deliveries as sent, and renews the leases of those still in hand.

    Leaving it waits until everything accepted is marked. Raises the database's error, from `accepted` or on
    leaving, if that was impossible for GIVE_UP_AFTER seconds.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.flushes = 0
        self.largest_flush = 0
        self._changed = threading.Condition()
        self._held: set[int] = set()
        self._accepted: list[int] = []
        self._flushing: list[int] = []
        self._closing = False
        self._flushed_at = 0.0
        self._renewed_at = time.monotonic()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="ack-buffer", daemon=True)

    def hold(self, ids: list[int]) -> None:
        """These were just claimed under our token: renew their leases until they are accepted or dropped."""
        with self._changed:
            self._held.update(ids)

    def drop(self, ids: list[int]) -> None:
        with self._changed:
            self._held.difference_update(ids)

    def accepted(self, pk: int) -> None:
        """The other side has it. Returns at once, unless MAX_IN_DOUBT are waiting to be marked."""
        with self._changed:
            self._held.discard(pk)
            self._accepted.append(pk)
            # Only when there is something to do: waking the thread for each one would cost more than recording it.
            if len(self._accepted) == 1 or len(self._accepted) >= _FLUSH_AT:
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._error or len(self._accepted) + len(self._flushing) < MAX_IN_DOUBT)
            self._raise_error()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        if error is None:
            self._raise_error()

    def _raise_error(self) -> None:
        if self._error:
            raise self._error

    def _run(self) -> None:
        try:
            while self._step():
                pass
        except Exception as error:  # raised again in the thread that sends
            with self._changed:
                self._error = error
                self._changed.notify_all()
        finally:
            connection.close()

    def _step(self) -> bool:
        """Wait for something to do and do it; False when all is done."""
        with self._changed:
            self._changed.wait_for(lambda: self._accepted or self._closing, timeout=RENEW_EVERY)
            if self._accepted and (early := self._flushed_at + FLUSH_EVERY - time.monotonic()) > 0:
                self._changed.wait_for(lambda: self._closing or len(self._accepted) >= _FLUSH_AT, early)
            self._flushing, self._accepted = self._accepted, []
            held = list(self._held)
        if self._flushing:
            self._flush(self._flushing)
        if held and time.monotonic() - self._renewed_at > RENEW_EVERY:
            self._renew(held)
        with self._changed:
            return not self._closing or bool(self._accepted)

    def _flush(self, ids: list[int]) -> None:
        self._flushed_at = time.monotonic()
        deadline = time.monotonic() + GIVE_UP_AFTER
        while True:
            try:
                Delivery.objects.mark_sent(ids)
                break
            except DatabaseTrouble:
                if time.monotonic() > deadline:
                    raise
                logger.warning("Cannot mark %d sent deliveries yet; trying again.", len(ids), exc_info=True)
                connection.close()
                time.sleep(RETRY_EVERY)
        self.flushes += 1
        self.largest_flush = max(self.largest_flush, len(ids))
        with self._changed:
            self._flushing = []
            self._changed.notify_all()

    def _renew(self, held: list[int]) -> None:
        """A failed renewal costs at most a double, so it is not tried again at once."""
        self._renewed_at = time.monotonic()
        try:
            Delivery.objects.renew(self.token, held)
        except DatabaseTrouble:
            connection.close()
