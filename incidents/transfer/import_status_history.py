"""Rebuild status histories, and with them uptime, from the component statuses of imported updates."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from incidents import clock
from incidents.models import AffectedComponent, Component, Page, StatusInterval


@dataclass(frozen=True, slots=True)
class StatusClaim:
    """An update's statement that a component changed from `old` to `new` at `at`.

    `written_at` is when the update was written, `resolved_at` when its incident was resolved.
    """

    at: datetime
    old: str
    new: str
    update: int
    written_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Interval:
    """An interval of the history. `pk` is 0 if it is not stored yet."""

    start: datetime
    end: datetime | None
    status: str
    update: int | None
    recorded_at: datetime
    pk: int = 0


def rebuild_status_history(page: Page, *, after: int) -> int:
    """Add the affected components with keys above `after` to the histories. Return how many histories changed.

    Can be repeated: claims that a history contains already are left out. Each component is one transaction.
    """
    new = AffectedComponent.objects.filter(pk__gt=after, update__incident__page=page)
    affected = set(new.order_by().values_list("component_id", flat=True).distinct())
    last = StatusInterval.objects.as_corrected().filter(component=OuterRef("pk"), ended_at__isnull=True)
    stale = page.components.exclude(Exists(last.filter(status=OuterRef("status"))))
    return sum(_rebuild(pk, after) for pk in sorted(affected | set(stale.values_list("pk", flat=True))))


@transaction.atomic
def _rebuild(pk: int, after: int) -> bool:
    component = Component.objects.select_for_update().get(pk=pk)
    now = clock.now()
    stored = _stored_intervals(component)
    is_new = len(stored) == 1 and not component.intervals.filter(superseded_at__isnull=False).exists()
    history = _History(stored, now=now, is_new=is_new)
    history.apply(_status_claims(component, after, now))
    history.end_with(component.status, component.updated_at)
    remaining = {interval.pk for interval in history.intervals if interval.pk}
    superseded = [interval.pk for interval in stored if interval.pk not in remaining]
    new = [interval for interval in history.intervals if not interval.pk]
    StatusInterval.objects.filter(pk__in=superseded).update(superseded_at=now)
    StatusInterval.objects.bulk_create((_row(component, interval) for interval in new), batch_size=500)
    return bool(new)


def _stored_intervals(component: Component) -> list[_Interval]:
    rows = component.intervals.as_corrected().order_by("started_at")
    columns = ("started_at", "ended_at", "status", "update_id", "recorded_at", "pk")
    return [_Interval(*row) for row in rows.values_list(*columns)]


def _row(component: Component, interval: _Interval) -> StatusInterval:
    return StatusInterval(
        component=component,
        status=interval.status,
        started_at=interval.start,
        ended_at=interval.end,
        update_id=interval.update,
        recorded_at=interval.recorded_at,
    )


def _status_claims(component: Component, after: int, now: datetime) -> Iterable[StatusClaim]:
    """Yield the claims in the order of time, without those that change nothing or that the history contains."""
    known = StatusInterval.objects.filter(component=component, update=OuterRef("update"))
    rows = AffectedComponent.objects.filter(component=component, pk__gt=after, update__display_at__lte=now)
    rows = rows.exclude(Exists(known)).exclude(old_status=F("new_status"))
    columns = ("update__display_at", "old_status", "new_status", "update_id", "update__created_at")
    for row in rows.order_by("update__display_at", "pk").values_list(*columns, "update__incident__resolved_at"):
        yield StatusClaim(*row)


class _History:
    """The history of one component, oldest interval first, while claims are applied to it.

    `is_new`: nobody has changed it here yet, so that its intervals count as recorded when they began.
    """

    def __init__(self, intervals: Iterable[_Interval], *, now: datetime, is_new: bool) -> None:
        self.intervals = list(intervals)
        self._now = now
        self._is_new = is_new
        self._last: StatusClaim | None = None

    def apply(self, claims: Iterable[StatusClaim]) -> None:
        for claim in claims:
            if self._status_at(claim.at) not in (claim.old, None):
                self._restore(claim.old, before=claim.at)
            self._insert(claim.at, claim.new, claim.update, claim.written_at)
            self._last = claim

    def end_with(self, status: str, since: datetime) -> None:
        """End with the present `status`: since its incident was resolved if no update says so, else since `since`."""
        last = self.intervals[-1] if self.intervals else None
        if last is not None and last.status == status:
            return
        if self._restore(status, before=self._now):
            return
        start = last.start if last else None
        self._insert(since if start is None or start < since < self._now else self._now, status, None, self._now)

    def _restore(self, status: str, *, before: datetime) -> bool:
        """Restore the component when its incident was resolved, if no update says when. Return whether this applies."""
        last = self._last
        if last is None or last.resolved_at is None or not last.at < last.resolved_at < before:
            return False
        self._insert(last.resolved_at, status, None, last.resolved_at)
        return True

    def _status_at(self, at: datetime) -> str | None:
        index = self._index_at(at)
        return self.intervals[index].status if index >= 0 else None

    def _index_at(self, at: datetime) -> int:
        """Return the index of the interval that contains `at`; -1 before the first one."""
        return bisect_right(self.intervals, at, key=lambda interval: interval.start) - 1

    def _insert(self, at: datetime, status: str, update: int | None, written_at: datetime) -> None:
        """Set `status` from `at` until the next recorded change, as `status_history._insert` does in the database."""
        recorded = max(at, written_at) if self._is_new else self._now
        index = self._index_at(at)
        if index >= 0 and self.intervals[index].status == status:
            return
        if index < 0:
            self._prepend(_Interval(at, None, status, update, recorded))
            return
        current = self.intervals[index]
        new = _Interval(at, current.end, status, update, recorded)
        earlier = []
        if current.start < at:
            since = current.start if self._is_new else self._now
            earlier = [replace(current, end=at, pk=0, recorded_at=since)]
        self.intervals[index : index + 1] = [*earlier, new]

    def _prepend(self, new: _Interval) -> None:
        """Insert `new` as the first interval. It replaces the interval that the component was created with."""
        if self.intervals and self.intervals[0].update is None:
            new = replace(new, end=self.intervals[0].end)
            self.intervals[0] = new
            return
        end = self.intervals[0].start if self.intervals else None
        self.intervals.insert(0, replace(new, end=end))
