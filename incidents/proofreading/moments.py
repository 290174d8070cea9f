"""Find the times of day in a text, pair them into ranges, and convert them to moments."""

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
    starts = [date.start for date in dated]
    return [
        _mention(match, _day_of(match, text.prose, dated, starts))
        for match in _TIME.finditer(text.prose)
        if (match["minute"] or match["half"]) and int(match["hour"]) <= 24
    ]


def _mention(match: re.Match[str], day: date | None) -> Mention:
    return Mention(
        start=match.start(),
        end=match.end(),
        hour=int(match["hour"]),
        minute=int(match["minute"] or 0),
        shows_minutes=bool(match["minute"]),
        half=(match["half"] or "").lower().replace(".", ""),
        zone=Zone(match["zone"]) if match["zone"] else None,
        zone_start=match.start("zone"),
        day=day,
    )


def _day_of(match: re.Match[str], prose: str, dated: Sequence[Dated], starts: Sequence[int]) -> date | None:
    """The last date before it in its paragraph, else one that follows at once."""
    following = bisect_left(starts, match.start())
    if following and "\n\n" not in prose[dated[following - 1].end : match.start()]:
        return dated[following - 1].day
    if following < len(starts) and starts[following] - match.end() < _DATE_AHEAD:
        return dated[following].day
    return None


def grouped(text: Text, mentions: Sequence[Mention]) -> list[Mention | TimeRange]:
    """Ranges where two belong together, sharing what only one of them says; the others alone."""
    groups: list[Mention | TimeRange] = []
    number = 0
    while number < len(mentions):
        first, following = mentions[number], mentions[number + 1] if number + 1 < len(mentions) else None
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
