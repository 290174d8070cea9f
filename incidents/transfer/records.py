"""The records that importers read from other products.

None means that the source does not have the value: an existing value is kept then. Times have a time zone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from incidents.models.base import PUBLIC_ID_ALPHABET
from incidents.models.states import Kind

_PUBLIC_ID = re.compile(r"[a-z0-9]{1,12}")


class ImportOutcome(StrEnum):
    """What an import did with one record."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class ImportResult:
    """`notes` are clauses for people: differences from the source, or why the record was skipped."""

    outcome: ImportOutcome
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class IncomingPage:
    public_id: str
    name: str
    time_zone: str = "Etc/UTC"
    description: str = ""
    support_url: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class IncomingGroup:
    public_id: str
    name: str
    position: int = 1
    description: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class IncomingComponent:
    """`group` is the public id of its group, empty without one."""

    public_id: str
    name: str
    status: str
    position: int = 1
    group: str = ""
    description: str | None = None
    only_show_if_degraded: bool | None = None
    showcase: bool | None = None
    start_date: date | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class IncomingChange:
    """A component status that an update sets. `component` is its public id, `name` its name at that time."""

    component: str
    new_status: str
    old_status: str | None = None
    name: str = ""


@dataclass(frozen=True)
class IncomingUpdate:
    public_id: str
    status: str
    body: str
    display_at: datetime
    created_at: datetime | None = None
    updated_at: datetime | None = None
    notify: bool = False
    changes: tuple[IncomingChange, ...] = ()


@dataclass(frozen=True)
class IncomingPostmortem:
    """Public if `published_at` is set. `draft` is its newest unpublished text."""

    body: str = ""
    draft: str = ""
    published_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class IncomingIncident:
    """An incident or a maintenance.

    `updates` can have any order; of two with the same time, the one that was written first comes first.
    `named` are affected components that no update mentions. `remind` lists minutes before the start.
    `switches` has the known ones of `incidents.models.maintenances.SWITCHES`. `is_guessed`: it was read from a web
    page, which does not show the ids of updates.
    """

    public_id: str
    title: str
    status: str
    updates: tuple[IncomingUpdate, ...]
    kind: str = Kind.INCIDENT
    impact: str = ""
    impact_override: str | None = None
    started_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None
    named: tuple[IncomingChange, ...] = ()
    switches: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    remind: tuple[int, ...] = ()
    postmortem: IncomingPostmortem | None = None
    is_guessed: bool = False


@dataclass(frozen=True)
class IncomingTemplate:
    """An incident template. `status` is empty if it sets none; `components` are public ids; `group` is a label."""

    public_id: str
    name: str
    title: str
    body: str
    status: str = ""
    notify: bool = True
    components: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True)
class IncomingMetric:
    """`provider` is a public id or empty, `suffix` the unit. With a bound of None, the chart chooses it."""

    public_id: str
    name: str
    provider: str = ""
    identifier: str = ""
    description: str = ""
    display: bool = True
    suffix: str = ""
    decimal_places: int = 0
    y_axis_min: float | None = None
    y_axis_max: float | None = None
    y_axis_hidden: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None


def is_public_id(text: str) -> bool:
    """Return whether `text` is a valid public id."""
    return _PUBLIC_ID.fullmatch(text) is not None


def public_id_for(*parts: object) -> str:
    """Derive a public id from `parts`, for objects without a usable one. It is the same in every import."""
    number = int.from_bytes(hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest(), "big")
    letters = []
    for _ in range(12):
        number, remainder = divmod(number, len(PUBLIC_ID_ALPHABET))
        letters.append(PUBLIC_ID_ALPHABET[remainder])
    return "".join(letters)
