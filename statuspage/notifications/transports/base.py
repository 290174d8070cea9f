"""The interface of a transport: how the deliveries of one channel are composed and sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from types import TracebackType
from typing import Any, ClassVar, Self

from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.models import Delivery

RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60, 2 * 60, 4 * 60, 8 * 60, 8 * 60))


class TransportError(Exception):
    """The delivery was not accepted.

    `permanent`: it never will be, and the recipient is marked. Otherwise it is retried, not before `after` if the
    endpoint requested a delay. `in_doubt`: it was sent but not acknowledged, so it may have arrived; it is sent at most
    once more.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, in_doubt: bool = False, after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.in_doubt = in_doubt
        self.after = after


class ChannelDown(Exception):
    """The channel cannot be used (no connection, log-in refused): it is paused, and no attempt is counted."""


# The outcome of a delivery: None if it was accepted.
Outcome = tuple[Delivery, Exception | None]


class Transport:
    """Used as a context manager once per run, so that connections stay open across deliveries.

    With a `concurrency` above 1, `send` is called from that many threads at once (never two for one subscriber)
    and must not use the database. Otherwise a transport is not shared between threads.
    """

    concurrency: ClassVar[int] = 1
    retry_after: ClassVar[tuple[timedelta, ...]] = RETRY_AFTER

    def compose(self, delivery: Delivery, notification: Notification | None) -> Any:
        """Return what is the same for every recipient of `notification` (None: of this kind of delivery)."""
        raise NotImplementedError

    def send(self, composed: Any, delivery: Delivery) -> None:
        """Send one delivery. Returns once it is accepted; raises TransportError or ChannelDown."""
        raise NotImplementedError

    def retry_delays(self, delivery: Delivery) -> tuple[timedelta, ...]:
        """Return the delays before the second, third, … attempt. After the last attempt the delivery has failed."""
        return self.retry_after

    def send_many(self, pairs: Iterator[tuple[Any, Delivery]]) -> Iterator[Outcome]:
        """Send each (composed, delivery) and yield its outcome, in any order.

        Takes the next pair when it can be sent soon. Raises ChannelDown after the deliveries in progress; deliveries
        without an outcome were not sent. Transports that can send several at once override this.
        """
        for composed, delivery in pairs:
            error: Exception | None = None
            try:
                self.send(composed, delivery)
            except ChannelDown:
                raise
            except Exception as problem:  # one invalid message must not block the others
                error = problem
            yield delivery, error

    def close(self) -> None:
        """Close the connections. Must not raise."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
