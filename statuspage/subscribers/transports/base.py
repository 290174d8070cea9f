"""What the ledger asks of a channel. A transport says only how it differs."""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType
from typing import Any, ClassVar, Self

from statuspage.subscribers.models import Delivery
from statuspage.subscribers.news import News

RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60, 2 * 60, 4 * 60, 8 * 60, 8 * 60))


class TransportError(Exception):
    """The other side would not take it. `permanent`: it never will, and the recipient is marked; else again later,
    no sooner than `after` if the other side named a time."""

    def __init__(self, message: str, *, permanent: bool = False, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.after = after


class ChannelDown(Exception):
    """A fault of ours (no connection, log-in refused): the channel rests, and no attempt or recipient is burned."""


class Transport:
    """Entered once per run, so that connections stay open across deliveries.

    With a `concurrency` above 1, `send` is called from that many threads at once (no two for one subscriber), and
    must not touch the database. Else it is not shared between threads.
    """

    concurrency: ClassVar[int] = 1
    retry_after: ClassVar[tuple[timedelta, ...]] = RETRY_AFTER

    def compose(self, delivery: Delivery, news: News | None) -> Any:
        """All that is the same for every recipient of these `news` (or, if None, of this kind of mail)."""
        raise NotImplementedError

    def send(self, composed: Any, delivery: Delivery) -> None:
        """Returns when the other side has accepted it; raises TransportError or ChannelDown."""
        raise NotImplementedError

    def waits(self, delivery: Delivery) -> tuple[timedelta, ...]:
        """How long to wait before the second, third, … attempt at `delivery`. After the last it has failed."""
        return self.retry_after

    def close(self) -> None:
        """Let go of connections. Must not raise."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
