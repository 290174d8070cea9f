"""Times that contradict each other, the record, or the season; and those that readers cannot place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from incidents.proofreading.days import check_dates, check_relative, dates
from incidents.proofreading.facts import PageFacts, Record
from incidents.proofreading.moments import (
    HEDGE,
    Mention,
    TimeRange,
    day_of,
    distance,
    grouped,
    mentions,
    moments,
    offsets,
)
from incidents.proofreading.prose import Text
from incidents.proofreading.remarks import Remark, Severity

_PAIR = re.compile(rf"\s*(?:\(|\[|/|=|;|,? or |,? that is,? |,? i\.e\.,? )\s*(?:{HEDGE}\s*)?$", re.IGNORECASE)
_OF_THE_INCIDENT = re.compile(
    r"\b(?:incidents?|outages?|disruptions?|affect(?:ed|ing)|impact(?:ed|ing)?|unavailable|unreachable|inaccessible|down"
    r"|offline|degraded|degradation|delayed|errors?|fail(?:ed|ing|ures?)|could not|couldn[’']t|unable|slow(?:er)?"
    r"|interrupt(?:ed|ions?)|timeouts?|timed out)\b",
    re.IGNORECASE,
)
_NOT_OF_IT = re.compile(
    r"\b(?:planned|scheduled|will|going to|every|daily|nightly|normally|usually|expect(?:ed)?|was not|were not"
    r"|unaffected|no longer|another incident|earlier incident|previous incident)\b",
    re.IGNORECASE,
)
_HEDGED = re.compile(rf"{HEDGE}\s*$", re.IGNORECASE)
_PLACED = re.compile(
    rf"\b(?:at|by|until|till|since|from|between|before|after|to)\s+(?:{HEDGE}\s+)?$|\b{HEDGE}\s+$", re.IGNORECASE
)
_NO_TIME = re.compile(r"\s*(?:local|minutes|min|hours|seconds|MB|GB|%)\b", re.IGNORECASE)
_NOON = re.compile(r"\s*(?:and|to|until|–|-)\s*(?:noon|midnight)\b", re.IGNORECASE)
_ALL_TIMES = re.compile(
    r"\b(?i:times) (?:here |below |in this \w{1,20} )?(?:are )?(?:in |given in )?(?:UTC|GMT|[A-Z]{2,4}T)\b"
)
_SLACK, _HEDGED_SLACK = timedelta(minutes=15), timedelta(minutes=30)
_SAME = timedelta(seconds=60)
_SLIP_DISTANCE, _SLIP_SLACK = timedelta(hours=2), timedelta(minutes=5)


def check_times(text: Text, record: Record, page: PageFacts) -> Iterator[Remark]:
    today = record.started_at.astimezone(page.zone).date()
    dated = dates(text, near=today)
    yield from check_dates(text, dated)
    yield from check_relative(text, written=record.written_at.astimezone(page.zone).date())
    yield from _TimeChecker(text, record, page, grouped(text, mentions(text, dated))).remarks()


@dataclass
class _TimeChecker:
    text: Text
    record: Record
    page: PageFacts
    groups: Sequence[Mention | TimeRange]

    def remarks(self) -> Iterator[Remark]:
        pairs = self._pairs()
        paired = {id(group) for pair in pairs for group in pair}
        for pair in pairs:
            yield from self._conversion(*pair)
        seconds = {id(second) for _, second in pairs}
        for group in self.groups:
            both = [group.first, group.last] if isinstance(group, TimeRange) else [group]
            if isinstance(group, TimeRange) and id(group) not in seconds:
                yield from self._window(group)
            for mention in both:
                yield from self._season(mention)
                yield from self._half(mention, pinned=id(group) in paired)
                if id(group) not in paired:
                    yield from self._zone(mention)
            if id(group) not in paired:
                yield from self._no_zone(both[0])

    def _pairs(self) -> list[tuple[Mention | TimeRange, Mention | TimeRange]]:
        """Those that say the same time in two zones: `7:00 AM PT (14:00 UTC)`."""
        following = zip(self.groups, self.groups[1:], strict=False)
        return [(a, b) for a, b in following if self._are_pair(a, b)]

    def _are_pair(self, first: Mention | TimeRange, second: Mention | TimeRange) -> bool:
        here, there = _parts(first)[0].zone, _parts(second)[0].zone
        if here is None or there is None or here.name == there.name or len(_parts(first)) != len(_parts(second)):
            return False
        gap = self.text.prose[first.end : second.start]
        return len(gap) < 25 and bool(_PAIR.match(gap))

    def _conversion(self, first: Mention | TimeRange, second: Mention | TimeRange) -> Iterator[Remark]:
        for a, b in zip(_parts(first), _parts(second), strict=True):
            if a.is_slip or b.is_slip or self._agree(a, b):
                continue
            right, wrong = (b, a) if self._fits(b) < self._fits(a) else (a, b)
            yield self._converted(right, wrong)

    def _agree(self, a: Mention, b: Mention) -> bool:
        """Whether some meaning of both is one moment. A season's slip that explains the gap has its own remark."""
        ours, theirs = ({(m.clock - o) % _DAY for o in self._possible(m)} for m in (a, b))
        return any(_apart(x, y) < _SAME for x in ours for y in theirs)

    def _possible(self, mention: Mention) -> list[timedelta]:
        possible = offsets(mention, self.record, self.page.zone)
        day = day_of(mention, self.record, self.page.zone)
        if mention.zone and (right := mention.zone.in_season(day)):
            possible = [*possible, *type(mention.zone)(right).offsets(day)]
        return possible

    def _fits(self, mention: Mention) -> timedelta:
        return min(distance(at, self.record) for at in moments(mention, self.record, self.page.zone))

    def _converted(self, right: Mention, wrong: Mention) -> Remark:
        day = day_of(right, self.record, self.page.zone)
        offset = offsets(wrong, self.record, self.page.zone)[0]
        clock = (right.clock - offsets(right, self.record, self.page.zone)[0] + offset) % _DAY
        suggestion = _as_written(wrong, clock)
        return Remark(
            wrong.start,
            wrong.end,
            Severity.ERROR,
            "time-conversion",
            f"{self._said(right)} on {day:%b} {day.day}, {day.year} was {suggestion}, not {self._said(wrong)}.",
            suggestion,
        )

    def _said(self, mention: Mention) -> str:
        text = self.text.prose[mention.start : mention.end]
        return text if not mention.zone or text.endswith(mention.zone.text) else f"{text} {mention.zone.text}"

    def _window(self, window: TimeRange) -> Iterator[Remark]:
        sentence = self.text.sentence(window.start)
        if not _OF_THE_INCIDENT.search(sentence) or _NOT_OF_IT.search(sentence):
            return
        prose = self.text.prose
        gap = prose[window.first.end : window.last.start]
        hedged = _HEDGED.search(prose, max(0, window.start - 20), window.start) or _HEDGED.search(gap)
        slack = _HEDGED_SLACK if hedged else _SLACK
        if any(self._lies_within(window, slack, number) for number in range(len(self._starts(window)))):
            return
        began, ended = self._shorthand(self.record.begins), self._shorthand(self.record.ends)
        yield Remark(
            window.start,
            window.end,
            Severity.ERROR,
            "time-window",
            f"The record says {self._recorded()}. Correct the text or the times of the incident.",
            f"{began}{gap}{ended}" if self.record.resolved_at else None,
        )

    def _starts(self, window: TimeRange) -> list[datetime]:
        return moments(window.first, self.record, self.page.zone)

    def _lies_within(self, window: TimeRange, slack: timedelta, meaning: int) -> bool:
        start, end = (moments(m, self.record, self.page.zone) for m in (window.first, window.last))
        first, last = start[meaning], end[min(meaning, len(end) - 1)]
        last += timedelta(days=1) if last < first else timedelta()
        return self.record.begins - slack <= first and last <= self.record.ends + slack

    def _recorded(self) -> str:
        zone, begins = self.page.zone, self.record.begins.astimezone(self.page.zone)
        if not self.record.resolved_at:
            return f"that it began at {begins:%b %d, %H:%M %Z} and goes on"
        ends = self.record.ends.astimezone(zone)
        return (
            f"{begins:%b %d, %H:%M} to {ends:%H:%M %Z}"
            if begins.date() == ends.date()
            else (f"{begins:%b %d, %H:%M} to {ends:%b %d, %H:%M %Z}")
        )

    def _shorthand(self, at: datetime) -> str:
        return shorthand(at, self.record, self.page)

    def _zone(self, mention: Mention) -> Iterator[Remark]:
        zone, day = mention.zone, day_of(mention, self.record, self.page.zone)
        if zone is None or mention.zone_start < 0:
            return
        message: tuple[str, str | None] | None = None
        if zone.shared_by:
            message = f"{zone.text} is used in {_listed(list(zone.shared_by))}. Use UTC.", None
        elif zone.is_generic and zone.changes_in_month(day):
            letters = zone.spelled(day)
            message = (
                f"The clocks change in {day:%B}, so {zone.text} can mean two times. It was {letters} that day.",
                letters,
            )
        if message:
            yield Remark(mention.zone_start, mention.end, Severity.WARNING, "time-zone", *message)

    def _season(self, mention: Mention) -> Iterator[Remark]:
        day = day_of(mention, self.record, self.page.zone)
        if mention.zone is None or mention.zone_start < 0 or not (right := mention.zone.in_season(day)):
            return
        message = f"On {day:%b} {day.day}, {day.year} the clocks there showed {right}, not {mention.zone.text}."
        yield Remark(mention.zone_start, mention.end, Severity.WARNING, "time-season", message, right)

    def _half(self, mention: Mention, *, pinned: bool) -> Iterator[Remark]:
        """`pinned`: a second zone beside it says which half of the day is meant."""
        if not mention.half or (not mention.is_slip and (pinned or not self._looks_flipped(mention))):
            return
        clock = mention.clock if mention.is_slip else mention.flipped.clock
        written = self.text.prose[mention.start : mention.end]
        if mention.is_slip:
            message = f"{mention.hour}:{mention.minute:02} is a 24-hour time."
            suggestion = re.sub(r"\s*[ap]\.?m\.?", "", written, count=1, flags=re.IGNORECASE)
        else:
            suggestion = _as_written(mention.flipped, clock)
            message = f"This is far from the times of the incident ({self._recorded()}). Did you mean {suggestion}?"
        yield Remark(mention.start, mention.end, Severity.ERROR, "time-half", message, suggestion)

    def _looks_flipped(self, mention: Mention) -> bool:
        nearest = self._fits(mention.flipped)
        return self._fits(mention) > _SLIP_DISTANCE and nearest <= _SLIP_SLACK

    @cached_property
    def _names_one_zone(self) -> bool:
        """`All times are in UTC.`"""
        return _ALL_TIMES.search(self.text.prose) is not None

    def _no_zone(self, mention: Mention) -> Iterator[Remark]:
        prose = self.text.prose
        if mention.zone or not _PLACED.search(prose, max(0, mention.start - 30), mention.start):
            return
        if mention.is_slip or mention.clock >= _DAY or self._names_one_zone:
            return
        if _NO_TIME.match(prose, mention.end) or _NOON.match(prose, mention.end):
            return
        minutes = int(mention.clock.total_seconds()) // 60
        suggestion = f"@{minutes // 60:02}:{minutes % 60:02}"
        message = f"Add the time zone, or write {suggestion} for the time zone of the page."
        yield Remark(mention.start, mention.end, Severity.ADVICE, "time-no-zone", message, suggestion)


_DAY = timedelta(days=1)


def shorthand(at: datetime, record: Record, page: PageFacts) -> str:
    """`@14:14`, with its date where that is not the day that the text is about."""
    local, here = at.astimezone(page.zone), (record.shorthand_at or record.written_at).astimezone(page.zone)
    return f"@{local:%H:%M}" if local.date() == here.date() else f"@{local:%Y-%m-%d %H:%M}"


def _parts(group: Mention | TimeRange) -> list[Mention]:
    return [group.first, group.last] if isinstance(group, TimeRange) else [group]


def _apart(a: timedelta, b: timedelta) -> timedelta:
    gap = abs(a - b)
    return min(gap, _DAY - gap)


def _as_written(mention: Mention, clock: timedelta) -> str:
    """`clock` in the same style: with AM or PM, with minutes, with its zone."""
    at = datetime(2000, 1, 1, tzinfo=UTC) + clock
    if mention.half:
        minutes = f":{at.minute:02}" if mention.shows_minutes or at.minute else ""
        clock_text = f"{at.hour % 12 or 12}{minutes} {'PM' if at.hour >= 12 else 'AM'}"
    else:
        clock_text = f"{at:%H:%M}"
    return f"{clock_text} {mention.zone.text}" if mention.zone and mention.zone_start >= 0 else clock_text


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and of {names[-1]}"
