"""Decide whether the next update of an open incident is overdue, by the settings of its page. Pure."""

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
# The number of reminders after one update, unless the incident has its own intervals.
MOST_TIMES = 3
# The limit of the database column. Imported incidents with old times could exceed it.
_MOST_COUNTED = 30_000
MINUTES = ("critical", "major", "minor", "none", "still_red")


@dataclass(frozen=True)
class Reminders:
    """Minutes without an update after which staff are reminded, by impact, and the interval of further reminders.

    `still_red`: minutes after an incident was resolved without restoring its components. 0 means never.
    `by_mail`: remind by email too, not only in the console.
    """

    critical: int = 15
    major: int = 30
    minor: int = 60
    none: int = 0
    still_red: int = 15
    by_mail: bool = True

    @classmethod
    def read(cls, saved: Mapping[str, Any]) -> Reminders:
        """Read the field of the page. A missing or invalid value becomes the default."""
        try:
            return cls.checked(**{name: saved[name] for name in cls.__dataclass_fields__.keys() & saved.keys()})
        except (ValidationError, TypeError, AttributeError):
            return cls()

    @classmethod
    def checked(cls, **values: Any) -> Reminders:
        """Return the settings. Raise ValidationError, by field, for an invalid value."""
        reminders = cls(**values)
        for name in MINUTES:
            minutes = getattr(reminders, name)
            if type(minutes) is not int or not 0 <= minutes <= MOST_MINUTES:
                raise ValidationError({name: f"Enter a whole number from 0 to {MOST_MINUTES:,}."})
        if type(reminders.by_mail) is not bool:
            raise ValidationError({"by_mail": "Enter true or false."})
        return reminders

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def minutes_for(self, impact: str) -> int:
        by_impact = {Impact.CRITICAL: self.critical, Impact.MAJOR: self.major, Impact.MINOR: self.minor}
        return by_impact.get(Impact(impact), self.none)


@dataclass(frozen=True)
class OverdueUpdate:
    """There was no update for `lasted` since `after`. `times` is the number of reminders that are due by now."""

    after: IncidentUpdate
    lasted: timedelta
    times: int


def overdue_update_of(incident: Incident, *, now: datetime, reminders: Reminders) -> OverdueUpdate | None:
    """Return None if no update is overdue, or the incident is resolved, deleted or a maintenance. Reads its updates."""
    if incident.kind != Kind.INCIDENT or incident.status not in UNRESOLVED or incident.hidden_at:
        return None
    after = last_update(incident)
    if after is None:
        return None
    lasted = now - after.created_at
    times = times_due(lasted, incident.impact, incident.reminder_intervals, reminders)
    return OverdueUpdate(after, lasted, times) if times > 0 else None


def last_update(incident: Incident) -> IncidentUpdate | None:
    """Return the update that was written last, whatever its displayed time."""
    return max(incident.updates.all(), key=lambda update: (update.created_at, update.pk), default=None)


def resolving_update(incident: Incident) -> IncidentUpdate | None:
    """Return the update that resolved the incident, not a later follow-up."""
    newest_first = sorted(incident.updates.all(), key=lambda update: (update.created_at, update.pk), reverse=True)
    ended = list(takewhile(lambda update: update.status in ENDED, newest_first))
    return ended[-1] if ended else None


def times_due(lasted: timedelta, impact: str, intervals: str, reminders: Reminders) -> int:
    """Return the number of reminders due after `lasted`.

    The `intervals` of the incident (contract section 3.4) come first; repeating ones never end. Then the settings of
    the page apply.
    """
    hours = _hours(intervals)
    if isinstance(hours, list):
        return sum(lasted >= timedelta(hours=hour) for hour in hours)
    if hours is not None:
        return min(_MOST_COUNTED, lasted // timedelta(hours=hours))
    minutes = reminders.minutes_for(impact)
    return min(MOST_TIMES, lasted // timedelta(minutes=minutes)) if minutes else 0


def _hours(intervals: str) -> list[int] | int | None:
    """Return None for invalid intervals: imports do not check them."""
    try:
        hours = json.loads(intervals or "null")
    except ValueError:
        return None
    is_list = isinstance(hours, list)
    is_whole = all(type(hour) is int and 0 < hour <= MOST_HOURS for hour in (hours if is_list else [hours]))
    return hours if is_whole else None
