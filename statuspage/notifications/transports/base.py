"""What the ledger asks of a channel. A transport says only how it differs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from types import TracebackType
from typing import Any, ClassVar, Self

from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.models import Delivery

RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60, 2 * 60, 4 * 60, 8 * 60, 8 * 60))


class TransportError(Exception):
    """The other side would not take it. `permanent`: it never will, and the recipient is marked; else again later,
    no sooner than `after` if the other side named a time.

    `in_doubt`: it was handed over and never answered, so perhaps it arrived. Such a one is sent once more at most.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, in_doubt: bool = False, after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.in_doubt = in_doubt
        self.after = after


class ChannelDown(Exception):
    """A fault of ours (no connection, log-in refused): the channel rests, and no attempt or recipient is burned."""


# What became of a delivery: None means that the other side accepted it.
Outcome = tuple[Delivery, Exception | None]


class Transport:
    """Entered once per run, so that connections stay open across deliveries.

    With a `concurrency` above 1, `send` is called from that many threads at once (no two for one subscriber), and
    must not touch the database. Else it is not shared between threads.
    """

    concurrency: ClassVar[int] = 1
    retry_after: ClassVar[tuple[timedelta, ...]] = RETRY_AFTER

    def compose(self, delivery: Delivery, notification: Notification | None) -> Any:
        """All that is the same for every recipient of these `notification` (or, if None, of this kind of mail)."""
        raise NotImplementedError

    def send(self, composed: Any, delivery: Delivery) -> None:
        """Returns when the other side has accepted it; raises TransportError or ChannelDown."""
        raise NotImplementedError

    def retry_delays(self, delivery: Delivery) -> tuple[timedelta, ...]:
        """How long to wait before the second, third, … attempt at `delivery`. After the last it has failed."""
        return self.retry_after

    def send_many(self, pairs: Iterator[tuple[Any, Delivery]]) -> Iterator[Outcome]:
        """Send each (composed, delivery) and say what became of it, in any order.

        Takes the next pair when it can be sent soon. Raises ChannelDown at the end of what was in hand; deliveries
        that it took and said nothing of were not sent. A transport that can do many at once overrides this.
        """
        for composed, delivery in pairs:
            error: Exception | None = None
            try:
                self.send(composed, delivery)
            except ChannelDown:
                raise
            except Exception as problem:  # one message that cannot be built must not hold up all others
                error = problem
            yield delivery, error

    def close(self) -> None:
        """Let go of connections. Must not raise."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
