"""What the publisher has to know about the paths of a page.

`statuspage.public.published_paths` implements it. The dispatcher passes it to the publisher, which renders by path and
imports no view.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from incidents.models import Event, Page

# With more new events than this, nobody computes which paths they change: everything is rendered again.
MANY_EVENTS = 500


class Stale(IntEnum):
    """Which paths may be out of date besides those that are named."""

    NOTHING = 0
    # All paths but those of incidents.
    PRESENT = 1
    EVERYTHING = 2


@dataclass(frozen=True)
class ChangedPaths:
    """The paths to render now, and what has to be rendered again later."""

    paths: list[str]
    stale: Stale


class PathSource(Protocol):
    """Which paths a page has, and which of them an event changes. All are absolute URL paths without a query."""

    def everything(self, page: Page, *, now: datetime) -> Iterator[str]:
        """Return all paths of `page`: those of incidents last, the newest incident first."""

    def count(self, page: Page, *, now: datetime) -> int:
        """Return the number of paths that `everything` yields."""

    def present(self, page: Page, *, now: datetime) -> list[str]:
        """Return all paths but those of incidents."""

    def hidden(self, page: Page) -> list[str]:
        """Return the paths of incidents that visitors may no longer see."""

    def changed(self, page: Page, events: Sequence[Event], *, since: datetime, now: datetime) -> ChangedPaths:
        """Return what may differ after `events`, and because time passed from `since` to `now`."""

    def summaries(self) -> list[str]:
        """Return the paths that summarize the page: what is published first."""

    def clocks(self) -> list[str]:
        """Return the paths that state when they were true. They are rendered at least once a minute."""

    def histories_beyond(self, page: Page, published: Iterable[str], *, now: datetime) -> list[str]:
        """Return those of `published` that are history pages which the history no longer reaches."""

    def is_stylesheet_or_logo(self, path: str) -> bool:
        """Return whether `path` has its content in its name. Open pages may still request an older one."""
