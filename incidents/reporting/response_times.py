"""Calculate the response times: to acknowledge, to fix and to resolve. Pure.

They follow from the times that the page shows, so that a correction changes them. docs/reports.md has the definitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from incidents.models.states import ENDED, Impact, Status
from incidents.reporting.periods import Period

# Worst first.
IMPACTS = (Impact.CRITICAL, Impact.MAJOR, Impact.MINOR, Impact.MAINTENANCE, Impact.NONE)


class Measure(Enum):
    ACKNOWLEDGE = "acknowledge"
    FIX = "fix"
    RESOLVE = "resolve"


@dataclass(frozen=True)
class IncidentTimes:
    """The times of one incident.

    `stated_start` is the start of the impact that staff entered, `first_impact` when the first of its components
    stopped being operational. `steps` are its updates in the order of time: time and status.
    """

    month: Period
    impact: str
    stated_start: datetime | None
    first_impact: datetime | None
    steps: Sequence[tuple[datetime, str]]

    @property
    def impact_start(self) -> datetime | None:
        return self.stated_start or self.first_impact

    def took(self, measure: Measure) -> timedelta | None:
        """Return None if it is not reached, if the start is unknown, or if the times contradict each other."""
        start, reached = self.impact_start, self.reached(measure)
        return reached - start if start and reached and reached >= start else None

    def reached(self, measure: Measure) -> datetime | None:
        """Return when the updates reach this point."""
        end = {Measure.ACKNOWLEDGE: self._acknowledged, Measure.FIX: self._fixed, Measure.RESOLVE: self._resolved}
        return end[measure]()

    def _acknowledged(self) -> datetime | None:
        """Return the first update, if the start of the impact is known from another source: otherwise it would be 0."""
        if not self.steps:
            return None
        first = self.steps[0][0]
        return first if self.stated_start or (self.first_impact and self.first_impact < first) else None

    def _fixed(self) -> datetime | None:
        """Return when it last became “monitoring”, because an earlier fix did not hold."""
        before = ["", *(status for _, status in self.steps)]
        became = [at for (at, status), old in zip(self.steps, before, strict=False) if status == _FIXED != old]
        return became[-1] if became else None

    def _resolved(self) -> datetime | None:
        """Return the update that resolved the incident. Follow-ups do not change it."""
        ended = None
        for at, status in reversed(self.steps):
            if status not in ENDED:
                break
            ended = at
        return ended


_FIXED = Status.MONITORING


@dataclass(frozen=True)
class Figure:
    """`counted` of `incidents` have the times that the measure needs. Without any, there is no median."""

    incidents: int
    counted: int
    median: timedelta | None
    ninetieth: timedelta | None


@dataclass(frozen=True)
class MonthFigures:
    """`by_impact` has only the impacts that occurred, worst first."""

    month: Period
    total: Figure
    by_impact: list[tuple[Impact, Figure]]


def nearest_rank(durations: Iterable[timedelta], percent: int) -> timedelta | None:
    """Return the nearest-rank percentile: the smallest duration that at least `percent` % of them do not exceed.

    The median of an even number is the lower of the two in the middle.
    """
    ordered = sorted(durations)
    return ordered[max(1, -(-len(ordered) * percent // 100)) - 1] if ordered else None


def figure(incidents: Iterable[IncidentTimes], measure: Measure) -> Figure:
    durations = [incident.took(measure) for incident in incidents]
    known = [duration for duration in durations if duration is not None]
    return Figure(len(durations), len(known), nearest_rank(known, 50), nearest_rank(known, 90))


def by_month(incidents: Sequence[IncidentTimes], months: Iterable[Period], measure: Measure) -> list[MonthFigures]:
    """Return an entry for each of `months`, in their order."""
    return [_month_figures([times for times in incidents if times.month == month], month, measure) for month in months]


def _month_figures(incidents: Sequence[IncidentTimes], month: Period, measure: Measure) -> MonthFigures:
    parts = [(impact, [times for times in incidents if times.impact == impact]) for impact in IMPACTS]
    return MonthFigures(
        month=month,
        total=figure(incidents, measure),
        by_impact=[(impact, figure(part, measure)) for impact, part in parts if part],
    )
