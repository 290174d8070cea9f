"""Moving in: from what imported updates say of components to status histories, and so to uptime."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef
from django.utils import timezone

from incidents.models import AffectedComponent, AuditEntry, Component, Page, StatusInterval
from incidents.transfer.import_pages import IMPORTED


@dataclass(frozen=True, slots=True)
class StatusClaim:
    """What an update said: at `at`, which was written at `written_at`, a component went from `old` to `new`.

    `over_at`: when the incident was resolved.
    """

    at: datetime
    old: str
    new: str
    update: int
    written_at: datetime
    over_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A row of the history; `pk` 0: not written yet."""

    start: datetime
    end: datetime | None
    status: str
    update: int | None
    recorded_at: datetime
    pk: int = 0


def rebuilt_so_far(page: Page) -> int:
    """The key of the newest affected component that the last import took into account; 0 if there was none."""
    last = AuditEntry.objects.filter(page=page, verb=IMPORTED).order_by("-pk").first()
    return int(last.details.get("folded", 0)) if last else 0


def newest_affected(page: Page) -> int:
    rows = AffectedComponent.objects.filter(update__incident__page=page)
    return rows.aggregate(newest=Max("pk"))["newest"] or 0


def rebuild_status_history(page: Page, *, after: int) -> int:
    """Put into the histories what updates say whose affected components have keys above `after`; how many changed.

    Twice is harmless: what a history has already is left out. Each component is a transaction of its own.
    """
    told = AffectedComponent.objects.filter(pk__gt=after, update__incident__page=page)
    with_news = set(told.order_by().values_list("component_id", flat=True).distinct())
    last = StatusInterval.objects.as_corrected().filter(component=OuterRef("pk"), ended_at__isnull=True)
    stale = page.components.exclude(Exists(last.filter(status=OuterRef("status"))))
    wanted = with_news | set(stale.values_list("pk", flat=True))
    return sum(_fold(pk, after) for pk in sorted(wanted))


@transaction.atomic
def _fold(pk: int, after: int) -> bool:
    component = Component.objects.select_for_update().get(pk=pk)
    now = timezone.now()
    before = _pieces(component)
    is_fresh = len(before) == 1 and not component.intervals.filter(superseded_at__isnull=False).exists()
    line = _Line(before, now=now, is_fresh=is_fresh)
    line.take(_status_claim(component, after, now))
    line.end_with(component.status, component.updated_at)
    kept = {piece.pk for piece in line.pieces if piece.pk}
    gone = [piece.pk for piece in before if piece.pk not in kept]
    new = [piece for piece in line.pieces if not piece.pk]
    StatusInterval.objects.filter(pk__in=gone).update(superseded_at=now)
    StatusInterval.objects.bulk_create((_row(component, piece) for piece in new), batch_size=500)
    return bool(new)


def _pieces(component: Component) -> list[_Piece]:
    rows = component.intervals.as_corrected().order_by("started_at")
    columns = ("started_at", "ended_at", "status", "update_id", "recorded_at", "pk")
    return [_Piece(*row) for row in rows.values_list(*columns)]


def _row(component: Component, piece: _Piece) -> StatusInterval:
    return StatusInterval(
        component=component,
        status=piece.status,
        started_at=piece.start,
        ended_at=piece.end,
        update_id=piece.update,
        recorded_at=piece.recorded_at,
    )


def _status_claim(component: Component, after: int, now: datetime) -> Iterable[StatusClaim]:
    """In the order of time. Those that only repeat a status say nothing; those that an action posted are here."""
    known = StatusInterval.objects.filter(component=component, update=OuterRef("update"))
    rows = AffectedComponent.objects.filter(component=component, pk__gt=after, update__display_at__lte=now)
    rows = rows.exclude(Exists(known)).exclude(old_status=F("new_status"))
    columns = ("update__display_at", "old_status", "new_status", "update_id", "update__created_at")
    for row in rows.order_by("update__display_at", "pk").values_list(*columns, "update__incident__resolved_at"):
        yield StatusClaim(*row)


class _Line:
    """One component's history, as rows in a row, while changes are put into it."""

    def __init__(self, pieces: Iterable[_Piece], *, now: datetime, is_fresh: bool) -> None:
        self.pieces = list(pieces)
        self._now = now
        self._is_fresh = is_fresh
        self._last: StatusClaim | None = None

    def take(self, told: Iterable[StatusClaim]) -> None:
        for said in told:
            if self._status_at(said.at) not in (said.old, None):
                self._restore(said.old, before=said.at)
            self._insert(said.at, said.new, said.update, said.written_at)
            self._last = said

    def end_with(self, status: str, since: datetime) -> None:
        """Its present status, if no update told of it: since its incident was over, else since it was last changed."""
        last = self.pieces[-1] if self.pieces else None
        if last is not None and last.status == status:
            return
        if self._restore(status, before=self._now):
            return
        start = last.start if last else None
        self._insert(since if start is None or start < since < self._now else self._now, status, None, self._now)

    def _restore(self, status: str, *, before: datetime) -> bool:
        """Somebody put the component back by hand, which nobody told us: taken for the end of its incident."""
        last = self._last
        if last is None or last.over_at is None or not last.at < last.over_at < before:
            return False
        self._insert(last.over_at, status, None, last.over_at)
        return True

    def _status_at(self, at: datetime) -> str | None:
        index = self._covering(at)
        return self.pieces[index].status if index >= 0 else None

    def _covering(self, at: datetime) -> int:
        """-1: before the first."""
        return bisect_right(self.pieces, at, key=lambda piece: piece.start) - 1

    def _insert(self, at: datetime, status: str, update: int | None, written_at: datetime) -> None:
        """From `at` until the next change that is on record; see `timeline._insert`, which does the same by rows."""
        recorded = max(at, written_at) if self._is_fresh else self._now
        index = self._covering(at)
        if index >= 0 and self.pieces[index].status == status:
            return
        if index < 0:
            self._prepend(_Piece(at, None, status, update, recorded))
            return
        held = self.pieces[index]
        new = _Piece(at, held.end, status, update, recorded)
        earlier = []
        if held.start < at:
            since = held.start if self._is_fresh else self._now
            earlier = [replace(held, end=at, pk=0, recorded_at=since)]
        self.pieces[index : index + 1] = [*earlier, new]

    def _prepend(self, new: _Piece) -> None:
        """The row that a component was made with only says since when it is known: that is no change to stop at."""
        if self.pieces and self.pieces[0].update is None:
            new = replace(new, end=self.pieces[0].end)
            self.pieces[0] = new
            return
        end = self.pieces[0].start if self.pieces else None
        self.pieces.insert(0, replace(new, end=end))
