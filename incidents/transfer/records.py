"""What an import brings, in our own words: pages, components and incidents as another product knew them. Pure.

None is "not told": what is here already stays then. Times have a zone. A `code` is the thing's public id.
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


class Outcome(StrEnum):
    """What became of one thing that was read."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Result:
    """`notes`: what somebody should know of it, why it was skipped among them; for people."""

    outcome: Outcome
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class IncomingPage:
    code: str
    name: str
    time_zone: str = "Etc/UTC"
    description: str = ""
    support_url: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class IncomingGroup:
    code: str
    name: str
    position: int = 1
    description: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class IncomingComponent:
    """`group`: the code of the group that it is in, empty for a loose one."""

    code: str
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
    """An update says that a component has a status. `name` is what it was called; `old_status` None: not told."""

    component: str
    new_status: str
    old_status: str | None = None
    name: str = ""


@dataclass(frozen=True)
class IncomingUpdate:
    code: str
    status: str
    body: str
    display_at: datetime
    created_at: datetime | None = None
    updated_at: datetime | None = None
    notify: bool = False
    changes: tuple[IncomingChange, ...] = ()


@dataclass(frozen=True)
class IncomingPostmortem:
    """Public if `published_at` is set; `draft` is what its authors have written since, or so far."""

    body: str = ""
    draft: str = ""
    published_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class IncomingIncident:
    """`updates`: at least one, in any order; of two of the same moment, the first written comes first.

    `named`: components that it concerns though no update says so. `remind`: minutes before the start.
    `switches`: those of `incidents.models.maintenances.SWITCHES` that are told. `is_guessed`: it was read from a page
    for people, which tells no codes of updates.
    """

    code: str
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
    """A text to start an incident from. `status` empty: none is set; `components`: codes; `group`: a label."""

    code: str
    name: str
    title: str
    body: str
    status: str = ""
    notify: bool = True
    components: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True)
class IncomingMetric:
    """`provider`: the code of where it comes from, or empty. `suffix`: the unit. An axis of None: the chart chooses."""

    code: str
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
    """Whether it can be kept as a public id."""
    return _PUBLIC_ID.fullmatch(text) is not None


def public_id_for(*parts: object) -> str:
    """A public id that follows from `parts`, for what has none of its own: the same whenever it is imported."""
    number = int.from_bytes(hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest(), "big")
    letters = []
    for _ in range(12):
        number, rest = divmod(number, len(PUBLIC_ID_ALPHABET))
        letters.append(PUBLIC_ID_ALPHABET[rest])
    return "".join(letters)
