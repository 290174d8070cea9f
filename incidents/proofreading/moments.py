"""Times of day in a text, as written: found, paired into ranges, and turned into moments of the record."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from incidents.proofreading.days import Dated
from incidents.proofreading.facts import Record
from incidents.proofreading.prose import Text
from incidents.proofreading.zones import PATTERN, Zone

HEDGE = r"(?:about|approximately|approx\.|around|roughly|circa|nearly|almost|~)"
_TIME = re.compile(
    r"(?:(?<![\w:.@/$#])|(?<=[0-9]T))(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-5][0-9])(?::[0-5][0-9])?)?(?![\w]*[0-9:%])"
    rf"(?:[ \u00a0]?(?P<half>[ap](?:m\b|\.m\b\.?)))?(?:[ \u00a0]?(?P<zone>{PATTERN}))?",
    re.ASCII | re.IGNORECASE,
)
_TO = re.compile(rf"\s*(?:–|—|-|to|until|till|through)\s*(?:{HEDGE}\s*)?$", re.IGNORECASE)
_AND = re.compile(rf"\s*and\s+(?:{HEDGE}\s*)?$", re.IGNORECASE)
_BETWEEN = re.compile(rf"\bbetween\s+(?:{HEDGE}\s*)?$", re.IGNORECASE)
_DATE_AHEAD = 25  # characters between a time and the date that follows it


@dataclass(frozen=True)
class Mention:
    """A time of day. `zone` is None where the text names none; `day` where no date belongs to it."""

    start: int
    end: int
    hour: int
    minute: int
    shows_minutes: bool
    half: str
    zone: Zone | None
    zone_start: int
    day: date | None

    @property
    def is_slip(self) -> bool:
        """`14:30 PM`: twelve-hour letters behind a twenty-four-hour time."""
        return bool(self.half) and not 1 <= self.hour <= 12

    @property
    def clock(self) -> timedelta:
        """Since midnight, where the text says it."""
        hour = self.hour
        if self.half and not self.is_slip:
            hour = hour % 12 + (12 if self.half.startswith("p") else 0)
        return timedelta(hours=hour, minutes=self.minute)

    @property
    def flipped(self) -> "Mention":
        """With AM for PM, PM for AM."""
        return replace(self, half="am" if self.half.startswith("p") else "pm")


@dataclass(frozen=True)
class TimeRange:
    first: Mention
    last: Mention

    @property
    def start(self) -> int:
        return self.first.start

    @property
    def end(self) -> int:
        return self.last.end


def mentions(text: Text, dated: Sequence[Dated]) -> list[Mention]:
    starts = [one.start for one in dated]
    return [
        _mention(found, _day_of(found, text.prose, dated, starts))
        for found in _TIME.finditer(text.prose)
        if (found["minute"] or found["half"]) and int(found["hour"]) <= 24
    ]


def _mention(found: re.Match[str], day: date | None) -> Mention:
    return Mention(
        start=found.start(),
        end=found.end(),
        hour=int(found["hour"]),
        minute=int(found["minute"] or 0),
        shows_minutes=bool(found["minute"]),
        half=(found["half"] or "").lower().replace(".", ""),
        zone=Zone(found["zone"]) if found["zone"] else None,
        zone_start=found.start("zone"),
        day=day,
    )


def _day_of(found: re.Match[str], prose: str, dated: Sequence[Dated], starts: Sequence[int]) -> date | None:
    """The last date before it in its paragraph, else one that follows at once."""
    following = bisect_left(starts, found.start())
    if following and "\n\n" not in prose[dated[following - 1].end : found.start()]:
        return dated[following - 1].day
    if following < len(starts) and starts[following] - found.end() < _DATE_AHEAD:
        return dated[following].day
    return None


def grouped(text: Text, found: Sequence[Mention]) -> list[Mention | TimeRange]:
    """Ranges where two belong together, sharing what only one of them says; the others alone."""
    groups: list[Mention | TimeRange] = []
    number = 0
    while number < len(found):
        first, following = found[number], found[number + 1] if number + 1 < len(found) else None
        if following and _is_range(text.prose, first, following):
            groups.append(_shared(first, following))
            number += 2
        else:
            groups.append(first)
            number += 1
    return groups


def _is_range(prose: str, first: Mention, last: Mention) -> bool:
    if last.start - first.end > 25:
        return False
    gap = prose[first.end : last.start]
    between = _BETWEEN.search(prose, max(0, first.start - 30), first.start)
    return bool(_TO.match(gap) or (between and _AND.match(gap)))


def _shared(first: Mention, last: Mention) -> TimeRange:
    zone = first.zone or last.zone
    if last.half and not first.half and first.hour <= 12:
        same = replace(first, half=last.half)
        first = same if same.clock <= last.clock else same.flipped
    return TimeRange(replace(first, zone=zone), replace(last, zone=last.zone or zone))


def moments(mention: Mention, record: Record, zone: tzinfo) -> list[datetime]:
    """When it was, in UTC: one for each offset that its zone can mean. Without a zone it is in the page's.

    Without a date it is the day on which it comes nearest to the record.
    """
    return [_nearest(mention, record, offset) for offset in offsets(mention, record, zone)]


def offsets(mention: Mention, record: Record, zone: tzinfo) -> list[timedelta]:
    day = day_of(mention, record, zone)
    if mention.zone:
        return mention.zone.offsets(day)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return [(midnight + mention.clock).utcoffset() or timedelta()]


def day_of(mention: Mention, record: Record, zone: tzinfo) -> date:
    return mention.day or record.started_at.astimezone(zone).date()


def _nearest(mention: Mention, record: Record, offset: timedelta) -> datetime:
    first = (record.begins + offset).date()
    last = (record.ends + offset).date()
    days = [mention.day] if mention.day else sorted({first, last, *(last + timedelta(days=n) for n in (-1, 1))})
    options = [datetime(day.year, day.month, day.day, tzinfo=UTC) + mention.clock - offset for day in days]
    return min(options, key=lambda at: distance(at, record))


def distance(at: datetime, record: Record) -> timedelta:
    """How far from the record's span: nothing if it lies within."""
    return max(record.begins - at, at - record.ends, timedelta())
