"""When a series of maintenances happens: RFC 5545 rules on the wall clock of a zone. Pure; imports no model."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


class RuleError(ValueError):
    """A rule, start or zone that makes no sense, in words for whoever typed it. `field`: rule, starts_at, time_zone."""

    def __init__(self, message: str, *, field: str = "rule") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Slot:
    """One occurrence: its local day, and its start as an instant in UTC."""

    on: date
    starts_at: datetime


def check(rule: str, *, starts_at: datetime, time_zone: str) -> str:
    """`rule` as it is kept: capitals, no spaces, no RRULE: in front. RuleError if it cannot be used."""
    raise NotImplementedError


def upcoming(rule: str, *, starts_at: datetime, zone: ZoneInfo, after: datetime, count: int) -> list[Slot]:
    """The next `count` occurrences that begin after the instant `after`; fewer if the rule ends. RuleError as `check`.

    `starts_at` is naive: the first wall-clock time that the rule may give.
    """
    raise NotImplementedError


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment in UTC that a wall clock in `zone` shows `local` (naive).

    In a gap the offset before it counts, and of an hour that comes twice the first one (RFC 5545 section 3.3.5).
    """
    raise NotImplementedError


def overlaps_itself(slots: list[Slot], duration: timedelta) -> bool:
    """Whether an occurrence begins before the one before it has ended."""
    raise NotImplementedError
