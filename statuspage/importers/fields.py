"""Read the objects of other products.

A missing required value is an error. An unknown value is replaced by the most similar known one, with a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from difflib import get_close_matches
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from statuspage.importers.report import ImportReport

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


_T = TypeVar("_T")


class BadObject(Exception):
    """An object cannot be imported. The message completes “skipped, because …”."""


@dataclass(frozen=True)
class SourceObject:
    """An object of another product.

    `name` identifies it in messages, for example “incident p31zjtct2jer”. `zone` applies to times without an offset.
    """

    raw: Mapping[str, Any]
    name: str
    report: ImportReport
    zone: tzinfo = UTC

    def required(self, key: str) -> str:
        """Return a text. Raise BadObject if it is missing or empty."""
        text = self.text(key)
        if not text:
            raise BadObject(f"its {key} is missing")
        return text

    def text(self, key: str) -> str:
        """Return a text, empty if it is null or missing."""
        value = self.raw.get(key)
        if value is None:
            return ""
        if isinstance(value, bool | int | float):
            return str(value)
        if not isinstance(value, str):
            raise BadObject(f"its {key} is {_type_name(value)}, not a text")
        return value

    def peek(self, key: str) -> str:
        """Return a text, empty if it is missing or not a text. Never raises."""
        value = self.raw.get(key)
        return value if isinstance(value, str) else ""

    def line(self, key: str) -> str:
        """Return a text on one line, for titles and names."""
        return " ".join(self.text(key).split())

    def flag(self, key: str) -> bool | None:
        """Return None if it is missing."""
        value = self.raw.get(key)
        return value if isinstance(value, bool) else None

    def number(self, key: str, default: int = 0) -> int:
        try:
            return max(0, int(self.raw.get(key, default)))
        except (TypeError, ValueError, OverflowError):
            return default

    def moment(self, key: str) -> datetime | None:
        """Return a time, None if it is null or missing. Without an offset, it is in `zone`."""
        text = self.text(key).strip()
        return self.parse(key, text) if text else None

    def required_moment(self, *keys: str) -> datetime:
        """Return the first of the times `keys` that is present."""
        moment = next((moment for key in keys if (moment := self.moment(key))), None)
        if moment is None:
            raise BadObject(f"its {keys[0]} is missing")
        return moment

    def parse(self, key: str, text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise BadObject(f"its {key} “{text[:40]}” is not a time") from None
        if at.tzinfo is None:
            at = at.replace(tzinfo=self.zone)
        if not EARLIEST <= at <= LATEST:
            raise BadObject(f"its {key} “{text[:40]}” is not between 1990 and 2100")
        return at.astimezone(UTC)

    def day(self, key: str) -> date | None:
        text = self.text(key)
        try:
            return date.fromisoformat(text[:10]) if text else None
        except ValueError:
            self.report.note(self.name, f"its {key} “{text[:40]}” is not a date and was left out")
            return None

    def choice(self, key: str, allowed: Sequence[str], default: str, *, known: Mapping[str, str] | None = None) -> str:
        """Return one of `allowed`. `known` maps the source's values to ours.

        An unknown value becomes the most similar one, or `default`.
        """
        return self.nearest(key, self.text(key), allowed, default, known=known)

    def nearest(
        self, key: str, value: str, allowed: Sequence[str], default: str, *, known: Mapping[str, str] | None = None
    ) -> str:
        value = (known or {}).get(value, value)
        if value in allowed:
            return str(value)
        normalized = value.strip().lower().replace(" ", "_").replace("-", "_")
        near = get_close_matches(normalized, allowed, n=1, cutoff=0.75)
        nearest = near[0] if near else default
        self.report.note(self.name, f"its {key} “{value[:40]}” is unknown and was read as “{nearest}”")
        return str(nearest)

    def url(self, key: str) -> str:
        """Return an HTTP URL, empty if it is missing or invalid."""
        text = self.text(key).strip()
        try:
            URLValidator(schemes=["http", "https"])(text)
        except ValidationError:
            return ""
        return text

    def list(self, key: str) -> Sequence[Any]:
        """Return a list, empty if it is null or missing."""
        value = self.raw.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise BadObject(f"its {key} is {_type_name(value)}, not a list")
        return value

    def objects(self, key: str, kind: str) -> Iterator[SourceObject]:
        """Yield the objects of a list, named by their `kind` and number."""
        for number, raw in enumerate(self.list(key), start=1):
            yield self.part(raw, f"{kind} {number}")

    def part(self, raw: object, name: str) -> SourceObject:
        return source_object(raw, f"{self.name}, {name}", self.report, zone=self.zone)


def source_object(raw: object, name: str, report: ImportReport, *, zone: tzinfo = UTC) -> SourceObject:
    """Return `raw` as a source object. Raise BadObject if it is not a mapping."""
    if not isinstance(raw, Mapping):
        raise BadObject(f"it is {_type_name(raw)}, not an object")
    return SourceObject(raw, name, report, zone)


def each(
    rows: Iterable[object], plural: str, kind: str, report: ImportReport, *, key: str = "id", zone: tzinfo = UTC
) -> Iterator[SourceObject]:
    """Yield `rows` as source objects, named by their `kind` and `key`. Report and skip those that are not objects."""
    for number, raw in enumerate(rows, start=1):
        label = raw.get(key) if isinstance(raw, Mapping) else None
        name = f"{kind} {label}" if label else f"{kind} number {number}"
        try:
            yield source_object(raw, name, report, zone=zone)
        except BadObject as error:
            report.skip(plural, name, str(error))


def parse_each(rows: Iterable[SourceObject], plural: str, parse: Callable[[SourceObject], _T]) -> Iterator[_T]:
    """Yield what `parse` returns for each row. Report and skip those for which it raises BadObject."""
    for row in rows:
        try:
            yield parse(row)
        except BadObject as error:
            row.report.skip(plural, row.name, str(error))


def _type_name(value: object) -> str:
    names = {str: "a text", list: "a list", dict: "an object", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
