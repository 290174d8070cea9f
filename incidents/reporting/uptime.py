"""Calculate uptime percentages and days from status intervals. Pure (docs/uptime.md explains the rules).

The denominator of every percentage is the known time: what lies inside the window, after the component's history
begins and before `until`. Time without an interval, and the future, are "no data": neither up nor down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from incidents.models.states import BY_SEVERITY, ComponentStatus

if TYPE_CHECKING:
    from incidents.models.pages import Page

ZERO = timedelta()
_SEVERITY = {status.value: number for number, status in enumerate(BY_SEVERITY)}
_FULL_PRECISION = Decimal("0.0001")
_AS_SHOWN = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Interval:
    """`status` from `start` up to `end`, None if it is open. The intervals of a component never overlap."""

    status: str
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True)
class Weights:
    """The share of its time that a status counts as down, 0 to 1. Operational and maintenance never count."""

    major_outage: Decimal = Decimal(1)
    partial_outage: Decimal = Decimal("0.3")
    degraded_performance: Decimal = Decimal(0)

    @classmethod
    def for_page(cls, page: Page) -> Weights:
        return cls(page.major_weight, page.partial_weight, page.degraded_weight)

    @classmethod
    def from_json(cls, saved: Mapping[str, str]) -> Weights:
        return cls(**{status: Decimal(weight) for status, weight in saved.items()})

    def as_json(self) -> dict[str, str]:
        """Return the configurable weights, for the audit log."""
        return {status: f"{weight.normalize():f}" for status, weight in vars(self).items()}

    def of(self, status: str) -> Decimal:
        return self.by_status()[status]

    def by_status(self) -> dict[str, Decimal]:
        """Return the weight of every status, from best to worst."""
        return {
            ComponentStatus.OPERATIONAL: Decimal(0),
            ComponentStatus.UNDER_MAINTENANCE: Decimal(0),
            ComponentStatus.DEGRADED_PERFORMANCE: self.degraded_performance,
            ComponentStatus.PARTIAL_OUTAGE: self.partial_outage,
            ComponentStatus.MAJOR_OUTAGE: self.major_outage,
        }


@dataclass(frozen=True, slots=True)
class Totals:
    """How long a component had each status in a time window. Statuses that it never had are missing."""

    window: timedelta
    lasted: Mapping[str, timedelta]

    @property
    def known(self) -> timedelta:
        return sum(self.lasted.values(), ZERO)

    @property
    def no_data(self) -> timedelta:
        return self.window - self.known

    @property
    def worst(self) -> str | None:
        """The worst status, None without data."""
        return max(self.lasted, key=_SEVERITY.__getitem__, default=None)

    def seconds_down(self, weights: Weights) -> Decimal:
        """Return the weighted downtime: an hour of partial outage at 0.3 is 1080 seconds."""
        return sum((weights.of(status) * _seconds(time) for status, time in self.lasted.items()), Decimal(0))

    def percentage(self, weights: Weights) -> Decimal | None:
        """Return 100 × (known − down) ÷ known, rounded down to four decimals; None without data."""
        known = _seconds(self.known)
        if not known:
            return None
        return (100 * (known - self.seconds_down(weights)) / known).quantize(_FULL_PRECISION, ROUND_FLOOR)


@dataclass(frozen=True)
class Bars:
    """The worst status of consecutive days, oldest first (None without data), and the uptime of all of them."""

    worst: tuple[str | None, ...]
    percentage: Decimal | None


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day in the time zone of the page: 24 hours, or 23 or 25 when the clocks change."""

    date: date
    start: datetime
    end: datetime
    totals: Totals = field(repr=False)


def by_component(rows: Iterable[tuple[int, str, datetime, datetime | None]]) -> dict[int, list[Interval]]:
    """Return the intervals of each component by its primary key."""
    intervals: dict[int, list[Interval]] = defaultdict(list)
    for component, status, start, end in rows:
        intervals[component].append(Interval(status, start, end))
    return intervals


def since(intervals: Iterable[Interval], start: datetime) -> list[Interval]:
    """Return the intervals without the time before `start`."""
    later = (interval for interval in intervals if interval.end is None or interval.end > start)
    return [i if i.start >= start else Interval(i.status, start, i.end) for i in later]


def cut(intervals: Iterable[Interval], start: datetime, end: datetime) -> list[Interval]:
    """Return the parts of the intervals between `start` and `end`, oldest first, each with an end."""
    parts = (
        Interval(interval.status, max(interval.start, start), min(interval.end or end, end)) for interval in intervals
    )
    return sorted((part for part in parts if part.end and part.start < part.end), key=lambda part: part.start)


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the first moment of `day` in `zone`, as UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def totals(intervals: Iterable[Interval], start: datetime, end: datetime, *, until: datetime) -> Totals:
    """Return the totals from `start` to `end`, but only up to `until`."""
    lasted: dict[str, timedelta] = {}
    last = min(end, until)
    for interval in intervals:
        began = max(interval.start, start)
        ended = last if interval.end is None else min(interval.end, last)
        if began < ended:
            lasted[interval.status] = lasted.get(interval.status, ZERO) + (ended - began)
    return Totals(max(end - start, ZERO), lasted)


def day_bounds(first: date, last: date, zone: tzinfo) -> list[datetime]:
    """Return the midnights from the start of `first` to the end of `last`: one more than days."""
    return [midnight(first + timedelta(days=n), zone) for n in range((last - first).days + 2)]


def daily_totals(intervals: Iterable[Interval], bounds: Sequence[datetime], *, until: datetime) -> list[Totals]:
    """Return the totals of each day between two `bounds`, in one pass."""
    lasted: list[dict[str, timedelta]] = [{} for _ in bounds[1:]]
    count, number = len(lasted), 0
    last = min(bounds[-1], until)
    for interval in sorted(intervals, key=lambda interval: interval.start):
        status, began = interval.status, max(interval.start, bounds[0])
        ended = last if interval.end is None else min(interval.end, last)
        while number < count and bounds[number + 1] <= began:
            number += 1
        while began < ended:
            leaves = min(ended, bounds[number + 1])
            day = lasted[number]
            day[status] = day.get(status, ZERO) + (leaves - began)
            began = leaves
            if began == bounds[number + 1]:
                number += 1
    return [Totals(end - start, day) for start, end, day in zip(bounds, bounds[1:], lasted, strict=False)]


def days(intervals: Iterable[Interval], first: date, last: date, zone: tzinfo, *, until: datetime) -> list[Day]:
    """Return every day from `first` to `last`, inclusive."""
    bounds = day_bounds(first, last, zone)
    all_totals = daily_totals(intervals, bounds, until=until)
    return [Day(first + timedelta(days=n), bounds[n], bounds[n + 1], day) for n, day in enumerate(all_totals)]


def bars(intervals: Sequence[Interval], bounds: Sequence[datetime], weights: Weights, *, until: datetime) -> Bars:
    """Return the days between `bounds`, of which `until` is in the last."""
    whole = totals(intervals, bounds[0], bounds[-1], until=until)
    before = _worst_statuses(tuple(intervals), tuple(bounds[:-1]))
    (today,) = daily_totals(intervals, bounds[-2:], until=until)
    return Bars((*before, today.worst), whole.percentage(weights))


# Only today changes while a component keeps its status.
@lru_cache(maxsize=2048)
def _worst_statuses(intervals: tuple[Interval, ...], bounds: tuple[datetime, ...]) -> tuple[str | None, ...]:
    """Return the worst status of each of the complete days between `bounds`."""
    return tuple(day.worst for day in daily_totals(intervals, bounds, until=bounds[-1]))


def runs(statuses: Iterable[str | None]) -> dict[str, list[tuple[int, int]]]:
    """Return the runs of equal days by status: (first day, number of days). No data has the key ``""``."""
    by_status: dict[str, list[tuple[int, int]]] = {}
    before, first, number = "", 0, -1
    for number, status in enumerate(statuses):
        if number == 0 or (status or "") != before:
            if number:
                by_status.setdefault(before, []).append((first, number - first))
            before, first = status or "", number
    if number >= 0:
        by_status.setdefault(before, []).append((first, number + 1 - first))
    return by_status


def mean(percentages: Iterable[Decimal | None]) -> Decimal | None:
    """Return the uptime of a group: the mean of its members with data, rounded down to four decimals."""
    known = [percentage for percentage in percentages if percentage is not None]
    return (sum(known, Decimal(0)) / len(known)).quantize(_FULL_PRECISION, ROUND_FLOOR) if known else None


def percentage_text(percentage: Decimal | None) -> str:
    """Return `99.98 %`, rounded down so that `100 %` means no downtime at all; `no data` for None."""
    if percentage is None:
        return "no data"
    return "100 %" if percentage == 100 else f"{percentage.quantize(_AS_SHOWN, ROUND_FLOOR)} %"


def weights_text(weights: Weights) -> str:
    """Return `Counted as down: major outages in full, partial outages at 30 %. Not counted: …`."""
    names = {
        "major outages": weights.major_outage,
        "partial outages": weights.partial_outage,
        "degraded performance": weights.degraded_performance,
    }
    counted = [f"{name} {_share(weight)}" for name, weight in names.items() if weight]
    ignored = [name for name, weight in names.items() if not weight]
    return f"Counted as down: {', '.join(counted) or 'nothing'}. Not counted: {', '.join([*ignored, 'maintenance'])}."


def _share(weight: Decimal) -> str:
    return "in full" if weight == 1 else f"at {(100 * weight).normalize():f} %"


def _seconds(duration: timedelta) -> Decimal:
    """Return the exact seconds; a float would round."""
    return Decimal(duration // timedelta(microseconds=1)).scaleb(-6)
