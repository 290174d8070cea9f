"""The occurrences of a recurring maintenance: RFC 5545 rules in the local time of a zone. Imports no model."""

import re
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

MAX_RULE = 500
MAX_INTERVAL = 1000
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
TOO_OFTEN = ("HOURLY", "MINUTELY", "SECONDLY")
# The Gregorian calendar, weekdays and all, repeats after so many years.
CALENDAR_CYCLE = 400

_NUMBERS = r"[+-]?\d{1,3}(,[+-]?\d{1,3})*"
_WEEKDAY = r"(MO|TU|WE|TH|FR|SA|SU)"
_SHAPES = {
    "FREQ": r"[A-Z]+",
    "INTERVAL": r"\d{1,9}",
    "COUNT": r"\d{1,9}",
    "UNTIL": r"\d{8}(T\d{6}Z?)?",
    "WKST": _WEEKDAY,
    "BYDAY": rf"([+-]?\d{{1,2}})?{_WEEKDAY}(,([+-]?\d{{1,2}})?{_WEEKDAY})*",
    "BYMONTH": _NUMBERS,
    "BYMONTHDAY": _NUMBERS,
    "BYYEARDAY": _NUMBERS,
    "BYWEEKNO": _NUMBERS,
    "BYSETPOS": _NUMBERS,
}
# The largest number of each part, either sign; months have none.
_RANGES = {"BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366}
# RFC 5545 section 3.3.10: what these parts need.
_ONLY_WITH = {
    "BYWEEKNO": ("YEARLY",),
    "BYYEARDAY": ("YEARLY",),
    "BYMONTHDAY": ("DAILY", "MONTHLY", "YEARLY"),
}
_CLOCK_PARTS = ("BYHOUR", "BYMINUTE", "BYSECOND")


class RuleError(ValueError):
    """An invalid rule, start or time zone. The message is for users. `field`: rule, starts_at or time_zone."""

    def __init__(self, message: str, *, field: str = "rule") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Slot:
    """One occurrence: its local day, and its start in UTC."""

    on: date
    starts_at: datetime


def check(rule: str, *, starts_at: datetime, time_zone: str) -> str:
    """`rule` as it is kept: capitals, no spaces, no RRULE: in front. RuleError if it cannot be used."""
    if time_zone not in zoneinfo.available_timezones():
        raise RuleError(f"“{time_zone}” is not a time zone. Use a name like Europe/Berlin.", field="time_zone")
    if starts_at.tzinfo is not None:
        raise RuleError("Enter the first start as local time without a time zone.", field="starts_at")
    normalized = ";".join(f"{name}={value}" for name, value in _parts(rule).items())
    if next(_local_times(normalized, starts_at, ZoneInfo(time_zone)), None) is None:
        ends = " by UNTIL" if "UNTIL" in normalized else ""
        raise RuleError(f"This rule has no occurrences: no day matches all of its parts{ends}.")
    return normalized


def upcoming(rule: str, *, starts_at: datetime, zone: ZoneInfo, after: datetime, count: int) -> list[Slot]:
    """The next `count` occurrences that begin after the instant `after`; fewer if the rule ends. RuleError as `check`.

    `starts_at` is naive: the first wall-clock time that the rule may give.
    """
    slots = (Slot(local.date(), instant(local, zone)) for local in _local_times(rule, starts_at, zone))
    return list(islice((slot for slot in slots if slot.starts_at > after), count))


def fires_on(rule: str, *, starts_at: datetime, zone: ZoneInfo, day: date) -> bool:
    """Whether the rule has an occurrence on that local day."""
    times = takewhile(lambda local: local.date() <= day, _local_times(rule, starts_at, zone))
    return any(local.date() == day for local in times)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment in UTC that a wall clock in `zone` shows `local` (naive).

    In a gap the offset before it counts, and of an hour that comes twice the first one (RFC 5545 section 3.3.5): what
    Python's fold=0 means (PEP 495).
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def overlaps_itself(slots: list[Slot], duration: timedelta) -> bool:
    """Whether an occurrence begins before the one before it has ended."""
    return any(later.starts_at < earlier.starts_at + duration for earlier, later in pairwise(slots))


def _parts(rule: str) -> dict[str, str]:
    """The rule's parts by name, in their order, each of the right shape. RuleError naming the first that is not."""
    text = re.sub(r"[ \t]", "", rule).upper().removeprefix("RRULE:").strip(";")
    if not text:
        raise RuleError("Enter a rule. Example: FREQ=WEEKLY;INTERVAL=2;BYDAY=SU")
    if len(text) > MAX_RULE:
        raise RuleError(f"The rule is {len(text)} characters long. The limit is {MAX_RULE}.")
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        _check_part(name, value)
        if name in parts:
            raise RuleError(f"{name} appears twice.")
        parts[name] = value
    _check_whole(parts)
    return parts


def _check_part(name: str, value: str) -> None:
    if name in _CLOCK_PARTS:
        raise RuleError(f"{name} is not supported. The time of day is that of the first start.")
    if name not in _SHAPES:
        raise RuleError(f"“{name}” is not a part of a rule. Example: FREQ=WEEKLY;INTERVAL=2;BYDAY=SU")
    if not re.fullmatch(_SHAPES[name], value, re.ASCII):
        raise RuleError(f"“{value}” is not a valid value for {name}.")
    numbers = [int(number) for number in value.split(",")] if name in _RANGES else []
    for number in numbers:
        if not 1 <= abs(number) <= _RANGES[name] or (name == "BYMONTH" and number < 0):
            raise RuleError(f"{name} cannot be {number}.")


def _check_whole(parts: dict[str, str]) -> None:
    frequency = parts.get("FREQ")
    if frequency is None:
        raise RuleError("FREQ is missing. Example: FREQ=WEEKLY;BYDAY=SU")
    if frequency in TOO_OFTEN:
        raise RuleError(f"FREQ={frequency} is not supported. A maintenance can repeat at most once a day.")
    if frequency not in FREQUENCIES:
        raise RuleError(f"FREQ cannot be {frequency}. Use one of: {', '.join(FREQUENCIES)}.")
    for name, allowed in _ONLY_WITH.items():
        if name in parts and frequency not in allowed:
            raise RuleError(f"{name} needs FREQ={' or '.join(allowed)}.")
    if not 1 <= int(parts.get("INTERVAL", "1")) <= MAX_INTERVAL:
        raise RuleError(f"INTERVAL must be from 1 to {MAX_INTERVAL}.")
    if int(parts.get("COUNT", "1")) < 1:
        raise RuleError("COUNT must be at least 1.")
    if "COUNT" in parts and "UNTIL" in parts:
        raise RuleError("Use COUNT or UNTIL, not both.")
    _check_counted_weekdays(parts)
    if "BYSETPOS" in parts and not ({*_RANGES, "BYDAY"} - {"BYSETPOS"}) & parts.keys():
        raise RuleError("BYSETPOS needs another BY… part.")


def _check_counted_weekdays(parts: dict[str, str]) -> None:
    """2SU: the second Sunday of the month, or of the year."""
    counts = [int(count) for count in re.findall(r"\d+", parts.get("BYDAY", ""))]
    if counts and parts["FREQ"] not in ("MONTHLY", "YEARLY"):
        raise RuleError("A number before a weekday, as in 2SU, needs FREQ=MONTHLY or FREQ=YEARLY.")
    most = 5 if parts["FREQ"] == "MONTHLY" or "BYMONTH" in parts else 53
    if any(not 1 <= count <= most for count in counts):
        raise RuleError(f"Use 1 to {most} before a weekday: 1SU is the first Sunday, -1SU the last.")


def _local_times(rule: str, starts_at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Naive wall-clock times in order, without those before `starts_at`.

    dateutil looks for a date that never comes up to the year 9999, which takes seconds. So it is asked about the last
    of the calendar's cycles before that year, and its answers are moved back: the days and weekdays are the same.
    """
    years = (MAXYEAR - starts_at.year) // CALENDAR_CYCLE * CALENDAR_CYCLE
    parts = _parts(rule)
    ends = _until(parts.pop("UNTIL", ""), zone)
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        occurrences = rrulestr(text, dtstart=_in_year(starts_at.replace(microsecond=0), years))
    except ValueError as error:
        raise RuleError(f"The rule cannot be read: {error}.") from error
    times: Iterator[datetime] = (_in_year(local, -years) for local in occurrences)
    return takewhile(lambda local: ends is None or not ends(local), times)


def _in_year(moment: datetime, years: int) -> datetime:
    return moment.replace(year=moment.year + years)


def _until(text: str, zone: ZoneInfo) -> Callable[[datetime], bool] | None:
    """Whether a wall-clock time lies after UNTIL: an instant (…Z), a wall-clock time, or a day that still counts."""
    if not text:
        return None
    try:
        if text.endswith("Z"):
            last = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return lambda local: instant(local, zone) > last
        if "T" in text:
            last_local = datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall-clock time
        else:
            day = datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007
            last_local = datetime.combine(day, time.max)
    except ValueError:
        raise RuleError(f"UNTIL cannot be {text}: there is no such day or time.") from None
    return lambda local: local > last_local
