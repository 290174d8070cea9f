"""How long things took: to acknowledge, to fix, to resolve. Pure: what happened comes in, figures go out.

Everything follows from the times that the page shows, so a corrected time corrects the figures. docs/reports.md says
how each is defined.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from incidents.models.states import ENDED, Impact, Status
from incidents.reporting.periods import Period

# Worst first, as people look for it.
IMPACTS = (Impact.CRITICAL, Impact.MAJOR, Impact.MINOR, Impact.MAINTENANCE, Impact.NONE)


class Measure(Enum):
    ACKNOWLEDGE = "acknowledge"
    FIX = "fix"
    RESOLVE = "resolve"


@dataclass(frozen=True)
class IncidentTimes:
    """What the rows say about one incident.

    `stated_start` is when its impact began, as staff said; `first_harm` when the first of its components stopped being
    well, as the status history says. `steps` are its updates as they happened: time and status.
    """

    month: Period
    impact: str
    stated_start: datetime | None
    first_harm: datetime | None
    steps: Sequence[tuple[datetime, str]]

    @property
    def impact_start(self) -> datetime | None:
        return self.stated_start or self.first_harm

    def took(self, measure: Measure) -> timedelta | None:
        """None if it has not come to that, if nobody knows when the impact began, or if the times contradict."""
        start, reached = self.impact_start, self.reached(measure)
        return reached - start if start and reached and reached >= start else None

    def reached(self, measure: Measure) -> datetime | None:
        """When it came to that, as the updates say."""
        end = {Measure.ACKNOWLEDGE: self._acknowledged, Measure.FIX: self._fixed, Measure.RESOLVE: self._resolved}
        return end[measure]()

    def _acknowledged(self) -> datetime | None:
        """The first update, where the impact's start is known from elsewhere: counted from itself it would be 0."""
        if not self.steps:
            return None
        first = self.steps[0][0]
        return first if self.stated_start or (self.first_harm and self.first_harm < first) else None

    def _fixed(self) -> datetime | None:
        """The last time that it became “monitoring”: a fix that did not hold was none."""
        before = ["", *(status for _, status in self.steps)]
        became = [at for (at, status), old in zip(self.steps, before, strict=False) if status == _FIXED != old]
        return became[-1] if became else None

    def _resolved(self) -> datetime | None:
        """What is written after the end, of what was done since, does not make it last longer."""
        ended = None
        for at, status in reversed(self.steps):
            if status not in ENDED:
                break
            ended = at
        return ended


_FIXED = Status.MONITORING


@dataclass(frozen=True)
class Figure:
    """`counted` of `incidents` had the times that the measure needs. Without any there is no median."""

    incidents: int
    counted: int
    median: timedelta | None
    ninetieth: timedelta | None


@dataclass(frozen=True)
class MonthFigures:
    """`by_impact`: only the impacts that occurred, worst first."""

    month: Period
    total: Figure
    by_impact: list[tuple[Impact, Figure]]


def nearest_rank(durations: Iterable[timedelta], percent: int) -> timedelta | None:
    """The smallest of `durations` that at least `percent` % of them do not exceed (nearest-rank percentile).

    It is always one that was measured; the median of an even number is the lower of the two in the middle.
    """
    ordered = sorted(durations)
    return ordered[max(1, -(-len(ordered) * percent // 100)) - 1] if ordered else None


def figure(courses: Iterable[IncidentTimes], measure: Measure) -> Figure:
    durations = [course.took(measure) for course in courses]
    known = [duration for duration in durations if duration is not None]
    return Figure(len(durations), len(known), nearest_rank(known, 50), nearest_rank(known, 90))


def by_month(courses: Sequence[IncidentTimes], months: Iterable[Period], measure: Measure) -> list[MonthFigures]:
    """One entry for each of `months`, in their order, also where nothing happened."""
    return [_month_figures([c for c in courses if c.month == month], month, measure) for month in months]


def _month_figures(courses: Sequence[IncidentTimes], month: Period, measure: Measure) -> MonthFigures:
    parts = [(impact, [c for c in courses if c.impact == impact]) for impact in IMPACTS]
    return MonthFigures(
        month=month,
        total=figure(courses, measure),
        by_impact=[(impact, figure(part, measure)) for impact, part in parts if part],
    )
