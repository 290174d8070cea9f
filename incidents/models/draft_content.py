"""What a submitted draft publishes: one dataclass per step, stored as JSON in `Draft.content`.

Components are named by their public ids, times have an offset. Nothing here depends on a form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.db import models

# Public ids of components, and their new status.
Statuses = Mapping[str, str]


class DraftStep(models.TextChoices):
    """What publishing a draft does. The label completes “Alice is writing …”."""

    DECLARE = "declare", "a new incident"
    UPDATE = "update", "an update"
    RESOLVE = "resolve", "the resolution"
    REOPEN = "reopen", "the reopening"
    FOLLOW_UP = "follow_up", "a follow-up"


@dataclass(frozen=True, kw_only=True)
class DraftContent:
    """`at` backdates it; None means the moment of publication."""

    step: ClassVar[DraftStep]
    body: str
    notify: bool
    at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"at": self.at.isoformat() if self.at else None}


@dataclass(frozen=True, kw_only=True)
class DeclareContent(DraftContent):
    """`impact` empty: derived from the components."""

    step = DraftStep.DECLARE
    title: str
    status: str
    impact: str = ""
    components: Statuses = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class UpdateContent(DraftContent):
    step = DraftStep.UPDATE
    status: str
    components: Statuses = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReopenContent(DraftContent):
    step = DraftStep.REOPEN
    status: str
    components: Statuses = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ResolveContent(DraftContent):
    """`restore`: the components whose status changes; all others keep theirs."""

    step = DraftStep.RESOLVE
    restore: Statuses = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FollowUpContent(DraftContent):
    step = DraftStep.FOLLOW_UP


_CLASSES: dict[str, type[DraftContent]] = {
    content_class.step: content_class
    for content_class in (DeclareContent, UpdateContent, ReopenContent, ResolveContent, FollowUpContent)
}


def content_from_json(step: str, raw: Mapping[str, Any]) -> DraftContent:
    """Read what `as_json` wrote."""
    at = datetime.fromisoformat(raw["at"]) if raw["at"] else None
    return _CLASSES[step](**{**raw, "at": at})
