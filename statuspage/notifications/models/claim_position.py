"""Which due deliveries a claim takes, and where it starts to read the index of due deliveries.

PostgreSQL keeps the index entry of a sent delivery until VACUUM removes it. Without a start, each claim reads the
entries of everything sent since then: one page for every 200 deliveries.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from incidents.models.event_kinds import Priority
from statuspage.subscribers.models.database_time import from_now

if TYPE_CHECKING:
    from statuspage.notifications.models.deliveries import Delivery

# A transaction commits rows that became due when it started, so claims start this much earlier than they need to.
MARGIN = timedelta(seconds=10)
# After this time, a claim reads the index from its beginning again.
FULL_READ_SECONDS = 5.0
# The start is moved no more often than this: what is sent in this time fills some dozens of pages.
ADVANCE_SECONDS = 1.0


class DueRow(NamedTuple):
    """A due delivery."""

    pk: int
    event_id: int | None
    priority: int


class ClaimPosition:
    """Where the claims of one run start: for each priority, a time before which no delivery was claimable.

    A hint that can delay a delivery, but not lose it. A delivery before the start (its lease expired, or the clock was
    set back) is claimed by the next claim that reads everything: the first one of each run, one every
    FULL_READ_SECONDS, and each one that would otherwise not be full. On other databases, all claims read everything.
    """

    def __init__(self) -> None:
        self._starts: dict[int, datetime] = {}
        self._last_full_read = self._last_advance = 0.0

    def next_ids(self, due: QuerySet[Delivery], limit: int) -> list[int]:
        """Return the IDs to claim: by priority, then oldest first.

        If there are more than `limit`, half of them belong to the newest urgent event, so that its first emails do not
        wait until all emails of an earlier event are sent.
        """
        if self._starts and time.monotonic() - self._last_full_read < FULL_READ_SECONDS:
            rows: list[DueRow] = []
            for priority in Priority:
                rows += _first(self.part(due, priority), limit - len(rows))
                if len(rows) == limit:
                    self._advance(due, rows)
                    return _share_with_newest(rows, self.part(due, Priority.URGENT))
        return self._read_all(due, limit)

    def _read_all(self, due: QuerySet[Delivery], limit: int) -> list[int]:
        self._starts.clear()
        self._last_full_read = time.monotonic()
        rows = _first(due, limit)
        if len(rows) < limit:
            return [row.pk for row in rows]
        self._advance(due, rows)
        # A range condition with matching order, so that SQLite reads the index backwards too.
        return _share_with_newest(rows, due.filter(priority__lte=Priority.URGENT))

    def part(self, due: QuerySet[Delivery], priority: int) -> QuerySet[Delivery]:
        """Return the deliveries of one priority, from its start."""
        part = due.filter(priority=priority)
        return part.filter(next_attempt_at__gte=self._starts[priority]) if priority in self._starts else part

    def _advance(self, due: QuerySet[Delivery], rows: list[DueRow]) -> None:
        """Start the next claim at `rows`, which are the first ones in order."""
        is_recent = self._starts and time.monotonic() - self._last_advance < ADVANCE_SECONDS
        if is_recent or connection.vendor != "postgresql":
            return
        self._last_advance = time.monotonic()
        # Converting the times of all rows would take longer than this query.
        firsts = {row.priority: row.pk for row in reversed(rows)}
        times = due.model._default_manager.filter(pk__in=firsts.values()).values_list("priority", "next_attempt_at")
        first_times = list(times.annotate(latest=from_now(-MARGIN)))
        latest = first_times[0][-1]
        oldest = {priority: min(due_at, latest) for priority, due_at, _ in first_times}
        for priority in range(rows[-1].priority + 1):
            self._starts[priority] = oldest.get(priority, latest)


def _first(due: QuerySet[Delivery], limit: int) -> list[DueRow]:
    rows = due.order_by("priority", "next_attempt_at", "pk")
    return [DueRow(*row) for row in rows.values_list("pk", "event_id", "priority")[:limit]]


def _share_with_newest(rows: list[DueRow], urgent: QuerySet[Delivery]) -> list[int]:
    """Return the IDs of `rows`. If the newest event of `urgent` is not among them, it gets half of the places."""
    taken = {row.pk: row.event_id for row in rows}
    if len(taken) < 2:
        return list(taken)
    urgent = urgent.order_by("-priority", "-next_attempt_at", "-pk")
    newest = urgent.values_list("event_id", flat=True).first()
    if newest in {None, *taken.values()}:
        return list(taken)
    fresh = list(urgent.filter(event=newest).values_list("pk", flat=True)[: len(taken) // 2])
    return [*fresh, *list(taken)[: len(taken) - len(fresh)]]
