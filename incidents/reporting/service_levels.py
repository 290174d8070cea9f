"""Target, uptime and error budget of one component in one period. Pure; seconds are exact Decimals.

The budget is the share of the promised time that may be down: 0.1 % of a month of 30 days is 43.2 minutes. Promised
time is where a target holds and the history is known, or still to come. Only downtime within it uses the budget.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import Enum

from incidents.reporting.periods import Period
from incidents.reporting.uptime import Interval, Totals, Weights, midnight, totals

_MINUTES = Decimal("0.01")


class ServiceLevelResult(Enum):
    NO_DATA = "no data"
    NO_TARGET = "no target"
    MISSED = "missed"
    WITHIN_BUDGET = "within budget so far"
    MET = "met"


@dataclass(frozen=True)
class Promise:
    """`percent` uptime from `start` up to `end`, not included; None: open."""

    percent: Decimal
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True)
class BudgetPoint:
    """How many seconds of the budget had been used by then. Between two points it grows evenly."""

    at: datetime
    used: Decimal


@dataclass(frozen=True)
class DayUse:
    """Minutes: what a day used, and what was left at its end."""

    date: date
    used: Decimal
    left: Decimal


@dataclass(frozen=True)
class ServiceLevel:
    """`budget`, `used`: seconds; `budget` None: nothing was promised. `until`: how far the period has come."""

    start: datetime
    end: datetime
    until: datetime
    totals: Totals
    weights: Weights
    budget: Decimal | None
    points: Sequence[BudgetPoint]

    @property
    def is_running(self) -> bool:
        return self.until < self.end

    @property
    def achieved(self) -> Decimal | None:
        """Percent of the known time, rounded down to four decimals; None: no data."""
        return self.totals.percentage(self.weights)

    @property
    def used(self) -> Decimal:
        return self.points[-1].used if self.points else Decimal(0)

    @property
    def known_minutes(self) -> Decimal:
        return minutes(_seconds(self.totals.known))

    @property
    def down_minutes(self) -> Decimal:
        """Weighted, of the whole period, whether anything was promised or not."""
        return minutes(self.totals.seconds_down(self.weights))

    @property
    def budget_minutes(self) -> Decimal | None:
        return None if self.budget is None else minutes(self.budget)

    @property
    def used_minutes(self) -> Decimal:
        return minutes(self.used)

    @property
    def left_minutes(self) -> Decimal | None:
        """Negative when more was used than there was. The difference of the two as shown, so that they add up."""
        return None if self.budget_minutes is None else self.budget_minutes - self.used_minutes

    @property
    def result(self) -> ServiceLevelResult:
        if self.achieved is None:
            return ServiceLevelResult.NO_DATA
        if self.budget is None:
            return ServiceLevelResult.NO_TARGET
        if self.used > self.budget:
            return ServiceLevelResult.MISSED
        return ServiceLevelResult.WITHIN_BUDGET if self.is_running else ServiceLevelResult.MET

    def used_at(self, moment: datetime) -> Decimal:
        """Seconds used by `moment`, which may lie between two points."""
        place = bisect_right(self.points, moment, key=lambda point: point.at)
        if place == 0 or place == len(self.points):
            return Decimal(0) if place == 0 else self.points[-1].used
        before, after = self.points[place - 1], self.points[place]
        return before.used + (after.used - before.used) * _seconds(moment - before.at) / _seconds(after.at - before.at)

    def days_that_used_budget(self, period: Period, zone: tzinfo) -> list[DayUse]:
        if self.budget is None:
            return []
        found = []
        for day in period.days():
            before, after = self.used_at(midnight(day, zone)), self.used_at(midnight(day + timedelta(days=1), zone))
            if after > before:
                # As shown, again: the days add up to the total.
                found.append(DayUse(day, minutes(after) - minutes(before), minutes(self.budget) - minutes(after)))
        return found


def minutes(seconds: Decimal) -> Decimal:
    """To the hundredth, which is 0.6 seconds."""
    return (seconds / 60).quantize(_MINUTES)


def service_level(
    intervals: Iterable[Interval],
    promises: Iterable[Promise],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
    weights: Weights,
) -> ServiceLevel:
    """Of the period from `start` to `end`, as far as it has come by `now`."""
    until = max(start, min(end, now))
    rows = sorted(intervals, key=lambda one: one.start)
    held = [promise for promise in promises if promise.start < end and (promise.end is None or promise.end > start)]
    known = [_Stretch(max(i.start, start), min(i.end or until, until), weights.of(i.status)) for i in rows]
    known = [stretch for stretch in known if stretch.start < stretch.end]
    expected = [*known, _Stretch(until, end, Decimal(0))] if known else []
    promised = [(promise, part) for promise in held if (part := _common(expected, promise))]
    allowed = (Decimal(100) - promise.percent for promise, part in promised for _ in part)
    lengths = (_seconds(one.end - one.start) for _, part in promised for one in part)
    return ServiceLevel(
        start=start,
        end=end,
        until=until,
        totals=totals(rows, start, end, until=now),
        weights=weights,
        budget=sum((a * n / 100 for a, n in zip(allowed, lengths, strict=True)), Decimal(0)) if promised else None,
        points=_points([one for _, part in promised for one in part], until),
    )


@dataclass(frozen=True)
class _Stretch:
    start: datetime
    end: datetime
    weight: Decimal


def _common(stretches: Iterable[_Stretch], promise: Promise) -> list[_Stretch]:
    """The parts of `stretches` in which the promise holds."""
    cut = (
        _Stretch(max(one.start, promise.start), min(one.end, promise.end or one.end), one.weight) for one in stretches
    )
    return [one for one in cut if one.start < one.end]


def _points(stretches: Iterable[_Stretch], until: datetime) -> list[BudgetPoint]:
    ordered = sorted((one for one in stretches if one.start < until), key=lambda one: one.start)
    if not ordered:
        return []
    used = Decimal(0)
    found = [BudgetPoint(ordered[0].start, used)]
    for one in ordered:
        if not one.weight:
            continue
        if found[-1].at < one.start:
            found.append(BudgetPoint(one.start, used))
        used += one.weight * _seconds(one.end - one.start)
        found.append(BudgetPoint(one.end, used))
    last = ordered[-1].end
    return found if found[-1].at == last else [*found, BudgetPoint(last, used)]


def _seconds(duration: timedelta) -> Decimal:
    return Decimal(duration // timedelta(microseconds=1)).scaleb(-6)
