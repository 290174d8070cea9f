"""Dates in a text: days of the week that do not match, days that do not exist, and “today”."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from incidents.proofreading.prose import Text
from incidents.proofreading.remarks import Remark, Severity

MONTHS = [name.lower() for name in calendar.month_name]
WEEKDAYS = [name.lower() for name in calendar.day_name]

_MONTH = (
    r"(?P<{0}>(?:Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec)\.?(?![a-z])|January|February|March|April|May|June?|July?|August|"
    r"September|October|November|December)"
)
_DATE = re.compile(
    r"(?<![\w-])(?:(?P<iso>[12][0-9]{3}-[0-9]{2}-[0-9]{2})"
    rf"|{_MONTH.format('month1')}[ ](?P<day1>[0-9]{{1,2}})(?:st|nd|rd|th)?(?![\w:.]?[0-9]|[ ]?%)"
    rf"(?:,?[ ](?P<year1>[12][0-9]{{3}}))?"
    rf"|(?P<day2>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:[ ]of)?[ ]{_MONTH.format('month2')}"
    rf"(?:,?[ ](?P<year2>[12][0-9]{{3}}))?)"
    r"(?![\w-]*[0-9])",
    re.ASCII,
)
_WEEKDAY = r"(?P<name>Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_BEFORE = re.compile(rf"\b{_WEEKDAY}\.?,?[ ](?:the[ ])?$")
_AFTER = re.compile(rf"(?:[ ]?\([ ]?|,[ ]?(?:a[ ]|on[ ]a[ ])?){_WEEKDAY}\b(?!,?[ ][0-9A-Z])")
_RELATIVE = re.compile(
    r"\b(?P<word>today|yesterday|tomorrow|tonight|this (?:morning|afternoon|evening)|last night)\b(?!['’]s|[-/])",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(r"\b(?:by|until|till|since|from|of|before|after|through|for|on)\s+$", re.IGNORECASE)


@dataclass(frozen=True)
class Dated:
    """A date in a text. `day` is None if there is no such day; without a year it is the one nearest to the record."""

    start: int
    end: int
    day: date | None


def dates(text: Text, *, near: date) -> list[Dated]:
    return [Dated(match.start(), match.end(), _day(match, near)) for match in _DATE.finditer(text.prose)]


def long_date(day: date, *, near: date) -> str:
    """`September 21`, with its year where that is not the one of `near`."""
    return f"{day:%B} {day.day}" + (f", {day.year}" if day.year != near.year else "")


def check_dates(text: Text, dates: list[Dated]) -> Iterator[Remark]:
    for dated in dates:
        if dated.day is None:
            message = f"{text.prose[dated.start : dated.end]} does not exist."
            yield Remark(dated.start, dated.end, Severity.ERROR, "date-impossible", message)
        else:
            yield from _check_weekday(text, dated, dated.day)


def check_relative(text: Text, *, written: date) -> Iterator[Remark]:
    """`written` is the day of the text, in the page's zone."""
    for match in _RELATIVE.finditer(text.prose):
        word = match["word"].lower()
        day = written + timedelta(days={"yesterday": -1, "last night": -1, "tomorrow": 1}.get(word, 0))
        after_preposition = _PREPOSITION.search(text.prose, max(0, match.start() - 12), match.start())
        yield Remark(
            match.start(),
            match.end(),
            Severity.ADVICE,
            "time-relative",
            "It means another day to whoever reads this later. Write the date.",
            _spelled(match["word"], long_date(day, near=written), bare=bool(after_preposition)),
        )


def _spelled(word: str, day: str, *, bare: bool) -> str:
    part = {"tonight": "evening", "last night": "night"}.get(word.lower(), "")
    if word.lower().startswith("this "):
        part = word.split()[-1].lower()
    phrase = f"the {part} of {day}" if part else day
    phrase = phrase if bare else f"on {phrase}"
    return phrase[0].upper() + phrase[1:] if word[0].isupper() else phrase


def _day(match: re.Match[str], near: date) -> date | None:
    if match["iso"]:
        return _valid(*map(int, match["iso"].split("-")))
    number = int(match["day1"] or match["day2"])
    month = next(
        i for i, name in enumerate(MONTHS) if i and name.startswith((match["month1"] or match["month2"])[:3].lower())
    )
    if year := match["year1"] or match["year2"]:
        return _valid(int(year), month, number)
    years = sorted(range(near.year - 4, near.year + 5), key=lambda year: abs(near.year - year))
    nearest = [day for year in years[:3] if (day := _valid(year, month, number))]
    if nearest:
        return min(nearest, key=lambda day: abs(day - near))
    return next((day for year in years if (day := _valid(year, month, number))), None)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _check_weekday(text: Text, dated: Dated, day: date) -> Iterator[Remark]:
    match = _BEFORE.search(text.prose, max(0, dated.start - 18), dated.start) or _AFTER.match(text.prose, dated.end)
    if match is None:
        return
    name = match["name"]
    right = WEEKDAYS[day.weekday()].capitalize()
    if right.lower().startswith(name[:3].lower()):
        return
    yield Remark(
        match.start("name"),
        match.end("name"),
        Severity.ERROR,
        "time-weekday",
        f"{day:%B} {day.day}, {day.year} was a {right}, not a {name}.",
        right if name.lower() in WEEKDAYS else right[:3],
    )
