"""When an open incident has been silent for too long, by what its page's owner has set. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from django.core.exceptions import ValidationError

from incidents.models import Incident, IncidentUpdate
from incidents.models.states import ENDED, UNRESOLVED, Impact, Kind

MOST_MINUTES = 24 * 60
MOST_HOURS = 24
# So often is one silence spoken of, unless the incident itself says otherwise.
MOST_TIMES = 3
# What is counted further than this has no place in a column; it comes from a file with old times.
_MOST_COUNTED = 30_000
MINUTES = ("critical", "major", "minor", "none", "still_red")


@dataclass(frozen=True)
class Reminders:
    """Minutes without an update after which staff are reminded, by impact, and once more after each further so many.

    `still_red`: minutes after a resolve that left components in trouble. 0 is never. `by_mail`: not in the console
    alone.
    """

    critical: int = 15
    major: int = 30
    minor: int = 60
    none: int = 0
    still_red: int = 15
    by_mail: bool = True

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Reminders:
        """From the page's field. What is not there, or no longer valid, has its default."""
        try:
            return cls.checked(**{name: kept[name] for name in cls.__dataclass_fields__.keys() & kept.keys()})
        except (ValidationError, TypeError, AttributeError):
            return cls()

    @classmethod
    def checked(cls, **values: Any) -> Reminders:
        """ValidationError names the field that cannot be so."""
        found = cls(**values)
        for name in MINUTES:
            minutes = getattr(found, name)
            if type(minutes) is not int or not 0 <= minutes <= MOST_MINUTES:
                raise ValidationError({name: f"Write a whole number from 0 to {MOST_MINUTES:,}."})
        if type(found.by_mail) is not bool:
            raise ValidationError({"by_mail": "This is yes or no."})
        return found

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def minutes_for(self, impact: str) -> int:
        by_impact = {Impact.CRITICAL: self.critical, Impact.MAJOR: self.major, Impact.MINOR: self.minor}
        return by_impact.get(Impact(impact), self.none)


@dataclass(frozen=True)
class OverdueUpdate:
    """Nothing was said for `lasted` since `after`. `times`: how often staff should have been reminded of it by now."""

    after: IncidentUpdate
    lasted: timedelta
    times: int


def overdue_update_of(incident: Incident, *, now: datetime, reminders: Reminders) -> OverdueUpdate | None:
    """None if it is not too long, or nobody waits: it is resolved, deleted, or a maintenance. Reads its updates."""
    if incident.kind != Kind.INCIDENT or incident.status not in UNRESOLVED or incident.hidden_at:
        return None
    after = last_update(incident)
    if after is None:
        return None
    lasted = now - after.created_at
    times = times_due(lasted, incident.impact, incident.reminder_intervals, reminders)
    return OverdueUpdate(after, lasted, times) if times > 0 else None


def last_update(incident: Incident) -> IncidentUpdate | None:
    """The update that was written last: what is backdated is said now."""
    return max(incident.updates.all(), key=lambda update: (update.created_at, update.pk), default=None)


def resolving_update(incident: Incident) -> IncidentUpdate | None:
    """The update that ended what is over, whatever was written since of what was done."""
    said = sorted(incident.updates.all(), key=lambda update: (update.created_at, update.pk), reverse=True)
    ended = list(takewhile(lambda update: update.status in ENDED, said))
    return ended[-1] if ended else None


def times_due(lasted: timedelta, impact: str, intervals: str, reminders: Reminders) -> int:
    """How often a silence that `lasted` so long should have been spoken of: by the incident's own `intervals` (contract
    section 3.4), which have no end when they repeat, else by the page's."""
    hours = _hours(intervals)
    if isinstance(hours, list):
        return sum(lasted >= timedelta(hours=hour) for hour in hours)
    if hours is not None:
        return min(_MOST_COUNTED, lasted // timedelta(hours=hours))
    minutes = reminders.minutes_for(impact)
    return min(MOST_TIMES, lasted // timedelta(minutes=minutes)) if minutes else 0


def _hours(intervals: str) -> list[int] | int | None:
    """`actions.details.check_reminder_intervals` has seen to what they are, but an import has not."""
    try:
        said = json.loads(intervals or "null")
    except ValueError:
        return None
    of_list = isinstance(said, list)
    is_whole = all(type(hour) is int and 0 < hour <= MOST_HOURS for hour in (said if of_list else [said]))
    return said if is_whole else None
