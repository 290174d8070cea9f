"""The facts that the proofreader compares a text with: incident, page and options. No database access."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from django.core.exceptions import ValidationError

from incidents.models.states import Impact, Kind, Status
from incidents.proofreading.remarks import Severity

DEFAULT_MAX_WORDS = 200
MOST_WORDS = 5000
MAX_LINES = 500
MAX_LINE = 100


@dataclass(frozen=True)
class Action:
    """An action item of a postmortem."""

    text: str
    owner: str
    due_on: date | None


@dataclass(frozen=True)
class Record:
    """The facts about the incident. `written_at` is the time of the text.

    `awaits_update`: the text is the newest update of an open incident. `is_postmortem`: it has its own checks.
    `shorthand_at` gives the day that `@14:14` is on, if it is not the day of `written_at`.
    """

    started_at: datetime
    written_at: datetime
    resolved_at: datetime | None = None
    impact_started_at: datetime | None = None
    kind: str = Kind.INCIDENT
    status: str = Status.INVESTIGATING
    impact: str = Impact.NONE
    awaits_update: bool = False
    is_postmortem: bool = False
    actions: Sequence[Action] = ()
    shorthand_at: datetime | None = None

    @property
    def begins(self) -> datetime:
        return min(self.started_at, self.impact_started_at or self.started_at)

    @property
    def ends(self) -> datetime:
        """The end of the incident; the time of the text while it is open."""
        return max(self.begins, self.resolved_at or self.written_at)

    @property
    def durations(self) -> list[timedelta]:
        """The durations from the start of the impact and from the first update; empty while the incident is open."""
        return [self.resolved_at - at for at in (self.begins, self.started_at)] if self.resolved_at else []


@dataclass(frozen=True)
class ProofreadingOptions:
    """The options of a page. `hosts` are patterns of internal host names, in which `*` matches anything.

    `blocks` are the severities that prevent publishing.
    """

    hosts: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    max_words: int = DEFAULT_MAX_WORDS
    blocks: frozenset[Severity] = frozenset()

    @classmethod
    def read(cls, saved: Mapping[str, Any]) -> "ProofreadingOptions":
        """Read the field of the page. A missing or invalid value becomes the default."""
        try:
            return cls.checked(**{name: saved[name] for name in cls.__dataclass_fields__.keys() & saved.keys()})
        except (ValidationError, TypeError):
            return cls()

    @classmethod
    def checked(
        cls,
        *,
        hosts: Collection[str] = (),
        customers: Collection[str] = (),
        max_words: int = DEFAULT_MAX_WORDS,
        blocks: Collection[str] = (),
    ) -> "ProofreadingOptions":
        """Return the options. Raise ValidationError, by field, for an invalid value."""
        if type(max_words) is not int or not 1 <= max_words <= MOST_WORDS:
            raise ValidationError({"max_words": f"Enter a whole number from 1 to {MOST_WORDS:,}."})
        if unknown := set(blocks) - {severity.value for severity in Severity}:
            raise ValidationError({"blocks": f"“{min(unknown)}” is not a severity."})
        return cls(
            hosts=_lines(hosts, field="hosts", check=_check_host),
            customers=_lines(customers, field="customers", check=_check_customer),
            max_words=max_words,
            blocks=frozenset(Severity(block) for block in blocks),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "hosts": list(self.hosts),
            "customers": list(self.customers),
            "max_words": self.max_words,
            "blocks": sorted(self.blocks),
        }


@dataclass(frozen=True)
class PageFacts:
    """`people` are the names of staff, `emails` their addresses."""

    zone: tzinfo = UTC
    components: Sequence[str] = ()
    people: Collection[str] = ()
    emails: Collection[str] = ()
    options: ProofreadingOptions = field(default_factory=ProofreadingOptions)


def _lines(lines: Collection[str], *, field: str, check: Any) -> tuple[str, ...]:
    unique = tuple(dict.fromkeys(stripped for line in lines if (stripped := line.strip())))
    if len(unique) > MAX_LINES:
        raise ValidationError({field: f"Enter at most {MAX_LINES} lines. There are {len(unique)}."})
    for line in unique:
        if len(line) > MAX_LINE:
            raise ValidationError({field: f"“{line[:40]}…” is {len(line)} characters long; {MAX_LINE} are allowed."})
        if problem := check(line):
            raise ValidationError({field: f"“{line}” {problem}"})
    return unique


def _check_host(pattern: str) -> str:
    if not all(character.isalnum() or character in "-_.*" for character in pattern):
        return "is not a pattern: use letters, digits, dots, dashes, and * for anything."
    return "" if any(character.isalnum() for character in pattern) else "would match every name."


def _check_customer(name: str) -> str:
    return "" if any(character.isalnum() for character in name) else "has no letter in it."
