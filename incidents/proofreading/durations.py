"""Durations that contradict the record: “lasted 4 hours” of what took 48 minutes."""

import re
from collections.abc import Iterator
from datetime import timedelta

from incidents.proofreading.facts import Record
from incidents.proofreading.prose import Text
from incidents.proofreading.remarks import Remark, Severity
from incidents.text.wording import duration_text

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {"a": 1, "an": 1, **{word: number for number, word in enumerate(_WORDS, start=1)}}
_NUMBER = rf"(?:[0-9]{{1,4}}(?:\.[0-9])?|an?|{'|'.join(_WORDS)})"
_UNIT = r"(?:minutes?|mins?|hours?|hrs?|days?|h)"
_LONG = (
    r"(?P<long>(?P<quarters>three quarters|a quarter) of an hour|(?P<halfhour>half an hour)"
    rf"|(?P<number>{_NUMBER})(?P<half1> and a half)?[ -](?P<unit>{_UNIT})\b(?P<half2> and a half)?"
    rf"(?:(?:,? and |,? )(?P<more>{_NUMBER})[ -](?:minutes?|mins?)\b)?)"
)
_HEDGE = (
    r"(?P<hedge>about|approximately|approx\.|around|roughly|nearly|almost|just (?:over|under)|some|more than|over"
    r"|longer than|at least|less than|under|at most|up to|no more than|within)"
)
_WHAT = r"\b(?:outages?|incident|disruption|downtime|interruption|impact|degradation)\b"
_OUTAGE = r"(?:outage|incident|disruption|downtime|interruption)"
_LASTED = r"\b(?:lasted|lasting|went on|continued)(?: for)?(?: a total of)?"
_DOWN = r"\b(?:down|unavailable|unreachable|offline|degraded|inaccessible|affected|interrupted) for"
# What a duration is message of: all of the incident, or a part that is at most as long.
_PHRASES = tuple(
    (reach, re.compile(pattern, re.IGNORECASE))
    for reach, pattern in (
        ("all", rf"{_WHAT}[^.\n]{{0,60}}{_LASTED} (?:{_HEDGE} )?{_LONG}"),
        ("all", rf"{_WHAT}[^.\n]{{0,40}}\btook (?:{_HEDGE} )?{_LONG} to (?:resolve|fix|end)"),
        ("all", rf"\b(?:{_HEDGE} )?{_LONG}[ -](?:long )?{_OUTAGE}\b"),
        ("all", rf"\b(?:resolved|fixed) {_HEDGE} (?:less than )?{_LONG}"),
        ("part", rf"\bit {_LASTED} (?:{_HEDGE} )?{_LONG}"),  # whatever “it” is, it was no longer than all of it
        ("part", rf"{_DOWN} (?:{_HEDGE} )?{_LONG}"),
    )
)
_AT_LEAST = {"more than", "over", "longer than", "at least", "just over"}
_AT_MOST = {"less than", "under", "at most", "up to", "no more than", "within", "just under"}


def check_durations(text: Text, record: Record) -> Iterator[Remark]:
    if not record.durations:
        return
    seen: set[int] = set()
    for reach, pattern in _PHRASES:
        for match in pattern.finditer(text.prose):
            if match.start("long") in seen:
                continue
            seen.add(match.start("long"))
            claim = _length(match)
            if all(_contradicts(claim, match, real, reach=reach) for real in record.durations):
                yield _remark(match, record.durations[0], reach=reach)


def _remark(match: re.Match[str], real: timedelta, *, reach: str) -> Remark:
    """The words of the duration with their hedge; the suggestion stands for both."""
    start = match.start("hedge") if match["hedge"] else match.start("long")
    message = f"According to the incident it was {duration_text(real)}. Correct the text or the times of the incident."
    is_whole = (
        reach == "all" and " " in match["long"] and not match.group().endswith(("outage", "incident", "disruption"))
    )
    suggestion = duration_text(real) if is_whole else None
    return Remark(start, match.end("long"), Severity.ERROR, "time-duration", message, suggestion)


def _length(match: re.Match[str]) -> timedelta:
    if match["halfhour"]:
        return timedelta(minutes=30)
    if match["quarters"]:
        return timedelta(minutes=45 if match["quarters"].lower().startswith("three") else 15)
    unit = match["unit"].lower()
    size = timedelta(days=1) if unit.startswith("d") else timedelta(hours=1) if unit[0] == "h" else timedelta(minutes=1)
    number = _number(match["number"]) + (0.5 if match["half1"] or match["half2"] else 0)
    return number * size + timedelta(minutes=_number(match["more"]) if match["more"] else 0)


def _number(word: str) -> float:
    return _NUMBERS.get(word.lower()) or float(word)


def _contradicts(claim: timedelta, match: re.Match[str], real: timedelta, *, reach: str) -> bool:
    """Rounded words are right if they are near: a quarter off for hours, an eighth for minutes."""
    hedge = (match["hedge"] or "").lower()
    is_rough = bool(hedge) or not (match["unit"] or "").lower().startswith("m")
    slack = max(timedelta(minutes=3), real * (0.3 if is_rough else 0.125))
    if hedge in _AT_LEAST:
        return claim > real + slack / 2
    if hedge in _AT_MOST:
        return reach == "all" and real > claim + slack / 2
    return claim - real > slack or (reach == "all" and real - claim > slack)
