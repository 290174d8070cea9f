"""The interface of a source: another product, or a file, that a page is imported from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from incidents.transfer.records import (
    IncomingComponent,
    IncomingGroup,
    IncomingIncident,
    IncomingMetric,
    IncomingPage,
    IncomingTemplate,
)
from statuspage.importers.report import ImportReport
from statuspage.subscribers.importing import IncomingSubscriber

Record = IncomingGroup | IncomingComponent | IncomingIncident | IncomingTemplate | IncomingMetric | IncomingSubscriber
IsSettled = Callable[[str], bool]


class Source(Protocol):
    """A source reports what it cannot read and continues. SourceError: nothing can be read at all.

    `expected` is the number of records, for the progress bar; 0 while it is unknown.
    """

    name: str
    report: ImportReport
    expected: int

    def page(self) -> IncomingPage: ...

    def records(self, is_settled: IsSettled) -> Iterator[Record]:
        """Yield groups, components, incidents, templates, metrics and subscribers, in this order.

        `is_settled` returns whether the incident with a public id was imported before and is over, so that the source
        need not request it again.
        """
