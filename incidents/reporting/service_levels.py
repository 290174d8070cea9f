"""Calculate target, uptime and error budget of one component in one period. Pure; seconds are exact Decimals.

The budget is the share of the covered time that may be down: 0.1 % of a month of 30 days is 43.2 minutes. Time is
covered if a target applies and its history is known or in the future. Only downtime in covered time uses the budget.
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
    """A target of `percent` uptime from `start` up to `end`, None if it is open."""

    percent: Decimal
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True)
class BudgetPoint:
    """The seconds of the budget used at a time. Usage grows linearly between two points."""

    at: datetime
    used: Decimal


@dataclass(frozen=True)
class DayUse:
    """The minutes that a day used, and those left at its end."""

    date: date
    used: Decimal
    left: Decimal


@dataclass(frozen=True)
class ServiceLevel:
    """`budget` and `used` are seconds; `budget` is None without a target. `until` is the end or now."""

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
        """The uptime in percent of the known time, rounded down to four decimals; None without data."""
        return self.totals.percentage(self.weights)

    @property
    def used(self) -> Decimal:
        return self.points[-1].used if self.points else Decimal(0)

    @property
    def known_minutes(self) -> Decimal:
        return minutes(_seconds(self.totals.known))

    @property
    def down_minutes(self) -> Decimal:
        """The weighted downtime of the whole period, with or without a target."""
        return minutes(self.totals.seconds_down(self.weights))

    @property
    def budget_minutes(self) -> Decimal | None:
        return None if self.budget is None else minutes(self.budget)

    @property
    def used_minutes(self) -> Decimal:
        return minutes(self.used)

    @property
    def left_minutes(self) -> Decimal | None:
        """The difference of the rounded values, so that they add up. Negative if the budget is overspent."""
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
        """Return the seconds used by `moment`."""
        index = bisect_right(self.points, moment, key=lambda point: point.at)
        if index == 0 or index == len(self.points):
            return Decimal(0) if index == 0 else self.points[-1].used
        before, after = self.points[index - 1], self.points[index]
        return before.used + (after.used - before.used) * _seconds(moment - before.at) / _seconds(after.at - before.at)

    def days_that_used_budget(self, period: Period, zone: tzinfo) -> list[DayUse]:
        if self.budget is None:
            return []
        days = []
        for day in period.days():
            before, after = self.used_at(midnight(day, zone)), self.used_at(midnight(day + timedelta(days=1), zone))
            if after > before:
                # The rounded values, so that the days add up to the total.
                days.append(DayUse(day, minutes(after) - minutes(before), minutes(self.budget) - minutes(after)))
        return days


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
    rows = sorted(intervals, key=lambda span: span.start)
    held = [promise for promise in promises if promise.start < end and (promise.end is None or promise.end > start)]
    known = [_Span(max(i.start, start), min(i.end or until, until), weights.of(i.status)) for i in rows]
    known = [stretch for stretch in known if stretch.start < stretch.end]
    expected = [*known, _Span(until, end, Decimal(0))] if known else []
    promised = [(promise, part) for promise in held if (part := _common(expected, promise))]
    allowed = (Decimal(100) - promise.percent for promise, part in promised for _ in part)
    lengths = (_seconds(span.end - span.start) for _, part in promised for span in part)
    return ServiceLevel(
        start=start,
        end=end,
        until=until,
        totals=totals(rows, start, end, until=now),
        weights=weights,
        budget=sum((a * n / 100 for a, n in zip(allowed, lengths, strict=True)), Decimal(0)) if promised else None,
        points=_points([span for _, part in promised for span in part], until),
    )


@dataclass(frozen=True)
class _Span:
    start: datetime
    end: datetime
    weight: Decimal


def _common(spans: Iterable[_Span], promise: Promise) -> list[_Span]:
    """The parts of `spans` in which the promise holds."""
    cut = (_Span(max(span.start, promise.start), min(span.end, promise.end or span.end), span.weight) for span in spans)
    return [span for span in cut if span.start < span.end]


def _points(spans: Iterable[_Span], until: datetime) -> list[BudgetPoint]:
    ordered = sorted((span for span in spans if span.start < until), key=lambda span: span.start)
    if not ordered:
        return []
    used = Decimal(0)
    points = [BudgetPoint(ordered[0].start, used)]
    for span in ordered:
        if not span.weight:
            continue
        if points[-1].at < span.start:
            points.append(BudgetPoint(span.start, used))
        used += span.weight * _seconds(span.end - span.start)
        points.append(BudgetPoint(span.end, used))
    last = ordered[-1].end
    return points if points[-1].at == last else [*points, BudgetPoint(last, used)]


def _seconds(duration: timedelta) -> Decimal:
    return Decimal(duration // timedelta(microseconds=1)).scaleb(-6)
