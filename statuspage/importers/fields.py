"""Reading other people's objects: what is missing is named, what is unknown is mapped to the nearest and reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from statuspage.importers.report import Report

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class BadObject(Exception):
    """It cannot be imported; the text says why, as in “skipped, because …”."""


class SourceObject:
    """One object of theirs. `name` is what people would find it by: “incident p31zjtct2jer”."""

    def __init__(self, raw: object, name: str, report: Report, *, zone: tzinfo = UTC) -> None:
        if not isinstance(raw, Mapping):
            raise BadObject(f"it is {_words(raw)}, not an object")
        self.raw: Mapping[str, Any] = raw
        self.name = name
        self.report = report
        self.zone = zone

    def need(self, key: str) -> str:
        """A text that must be there."""
        text = self.text(key)
        if not text:
            raise BadObject(f"its {key} is missing")
        return text

    def text(self, key: str) -> str:
        """Empty if it is null or not there."""
        value = self.raw.get(key)
        if value is None:
            return ""
        if isinstance(value, bool | int | float):
            return str(value)
        if not isinstance(value, str):
            raise BadObject(f"its {key} is {_words(value)}, not a text")
        return value

    def peek(self, key: str) -> str:
        """As `text`, for a first look: what cannot be read is empty, and is complained of when it is read."""
        value = self.raw.get(key)
        return value if isinstance(value, str) else ""

    def line(self, key: str) -> str:
        """One line, as titles are."""
        return " ".join(self.text(key).split())

    def flag(self, key: str) -> bool | None:
        """None: not told."""
        value = self.raw.get(key)
        return value if isinstance(value, bool) else None

    def number(self, key: str, default: int = 0) -> int:
        try:
            return max(0, int(self.raw.get(key, default)))
        except (TypeError, ValueError, OverflowError):
            return default

    def moment(self, key: str) -> datetime | None:
        """None if it is null or not there. A time without a zone is taken for the page's clock, and reported."""
        text = self.text(key).strip()
        return self.parse(key, text) if text else None

    def need_moment(self, *keys: str) -> datetime:
        """The first of `keys` that is there."""
        found = next((moment for key in keys if (moment := self.moment(key))), None)
        if found is None:
            raise BadObject(f"its {keys[0]} is missing")
        return found

    def parse(self, key: str, text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise BadObject(f"its {key} “{text[:40]}” is not a time") from None
        if at.tzinfo is None:
            at = at.replace(tzinfo=self.zone)
        if not EARLIEST <= at <= LATEST:
            raise BadObject(f"its {key} “{text[:40]}” is too far from now")
        return at.astimezone(UTC)

    def day(self, key: str) -> date | None:
        text = self.text(key)
        try:
            return date.fromisoformat(text[:10]) if text else None
        except ValueError:
            self.report.note(self.name, f"its {key} “{text[:40]}” is not a day and was left out")
            return None

    def choice(self, key: str, allowed: Sequence[str], default: str, *, known: Mapping[str, str] | None = None) -> str:
        """One of `allowed`. `known` maps their words; what is unknown becomes the nearest, or `default`."""
        return self.word(key, self.text(key), allowed, default, known=known)

    def word(
        self, key: str, value: str, allowed: Sequence[str], default: str, *, known: Mapping[str, str] | None = None
    ) -> str:
        value = (known or {}).get(value, value)
        if value in allowed:
            return str(value)
        spelled = value.strip().lower().replace(" ", "_").replace("-", "_")
        near = get_close_matches(spelled, allowed, n=1, cutoff=0.75)
        read = near[0] if near else default
        self.report.note(self.name, f"its {key} “{value[:40]}” is unknown here and was read as “{read}”")
        return str(read)

    def address(self, key: str) -> str:
        """A web address, or nothing."""
        text = self.text(key).strip()
        try:
            URLValidator(schemes=["http", "https"])(text)
        except ValidationError:
            return ""
        return text

    def list(self, key: str) -> Sequence[Any]:
        """Empty if it is null or not there."""
        value = self.raw.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise BadObject(f"its {key} is {_words(value)}, not a list")
        return value

    def things(self, key: str, what: str) -> Iterator[SourceObject]:
        for number, raw in enumerate(self.list(key), start=1):
            yield self.part(raw, f"{what} {number}")

    def part(self, raw: object, what: str) -> SourceObject:
        return SourceObject(raw, f"{self.name}, {what}", self.report, zone=self.zone)


def each(
    rows: Iterable[object], kind: str, what: str, report: Report, *, key: str = "id", zone: tzinfo = UTC
) -> Iterator[SourceObject]:
    """`rows` as things named by their `key`. What is no object is reported and left out."""
    for number, raw in enumerate(rows, start=1):
        label = raw.get(key) if isinstance(raw, Mapping) else None
        name = f"{what} {label}" if label else f"{what} number {number}"
        try:
            yield SourceObject(raw, name, report, zone=zone)
        except BadObject as error:
            report.skip(kind, name, str(error))


def _words(value: object) -> str:
    names = {str: "a text", list: "a list", dict: "an object", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
