"""The findings of a postmortem: timeline, times and contributing factors, as entered by staff."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

Json = Mapping[str, Any]
MOMENTS = ("detected_at", "acknowledged_at", "fixed_at", "impact_ended_at")
LONGEST_SECONDS = 366 * 24 * 3600


@dataclass(frozen=True)
class TimelineLine:
    """A line of the timeline. `source` says where it was filled from; empty if somebody wrote it."""

    at: datetime
    text: str
    is_public: bool = True
    source: str = ""


@dataclass(frozen=True)
class Findings:
    """What staff state. A moment that is None follows from the record, and so do the seconds of a component that
    `seconds` (by public id) does not name. `impact_started_at` is the incident's own and not kept here."""

    timeline: tuple[TimelineLine, ...] = ()
    impact_started_at: datetime | None = None
    detected_at: datetime | None = None
    acknowledged_at: datetime | None = None
    fixed_at: datetime | None = None
    impact_ended_at: datetime | None = None
    seconds: Mapping[str, int] = field(default_factory=dict)
    factors: tuple[str, ...] = ()

    @property
    def public_lines(self) -> tuple[TimelineLine, ...]:
        return tuple(line for line in self.timeline if line.is_public)

    def in_order(self) -> Findings:
        return replace(self, timeline=tuple(sorted(self.timeline, key=lambda line: line.at)))

    def with_missing(self, lines: Iterable[TimelineLine]) -> Findings:
        """And those of `lines` whose source is not there yet, in the order of time."""
        existing = {line.source for line in self.timeline if line.source}
        return replace(
            self, timeline=(*self.timeline, *(line for line in lines if line.source not in existing))
        ).in_order()

    def as_json(self) -> dict[str, Any]:
        """Empty if nothing is stated."""
        if self == Findings(impact_started_at=self.impact_started_at):
            return {}
        return {
            "timeline": [line_json(line) for line in self.timeline],
            **{name: stamp(at) for name in MOMENTS if (at := getattr(self, name))},
            "seconds": dict(self.seconds),
            "factors": list(self.factors),
        }

    @classmethod
    def read(cls, raw: Json, *, impact_started_at: datetime | None = None) -> Findings:
        """What `as_json` wrote; what does not fit, out of a file that anybody may have written, is left out."""
        seconds = raw.get("seconds")
        return cls(
            timeline=tuple(read_lines(raw.get("timeline"))),
            impact_started_at=impact_started_at,
            **{name: moment_in(raw, name) for name in MOMENTS},
            seconds={str(k): v for k, v in seconds.items() if is_length(v)} if isinstance(seconds, dict) else {},
            factors=tuple(texts(raw.get("factors"))),
        )


def stamp(at: datetime) -> str:
    """As `moment_in` reads it."""
    return at.astimezone(UTC).isoformat()


def line_json(line: TimelineLine) -> dict[str, Any]:
    return asdict(line) | {"at": stamp(line.at)}


def read_lines(raw: Any) -> Iterable[TimelineLine]:
    for item in raw if isinstance(raw, list) else []:
        if isinstance(item, dict) and isinstance(item.get("text"), str) and (at := moment_in(item, "at")):
            yield TimelineLine(at, item["text"], item.get("is_public") is True, str(item.get("source", "")))


def texts(raw: Any) -> list[str]:
    return [text for text in raw if isinstance(text, str)] if isinstance(raw, list) else []


def is_length(raw: Any) -> bool:
    """Seconds, a year at most."""
    return type(raw) is int and 0 <= raw <= LONGEST_SECONDS


def moment_in(raw: Json, name: str) -> datetime | None:
    """An aware time, far enough from the ends of the calendar to be reckoned with, or None for anything else."""
    try:
        moment = datetime.fromisoformat(raw.get(name) or "")
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo and 1900 < moment.year < 9000 else None


def digest(*parts: Any) -> str:
    """Of plain values: the same for what says the same; empty if there is nothing."""
    if not any(parts):
        return ""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
