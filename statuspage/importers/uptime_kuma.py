"""Import a backup file of Uptime Kuma 1.x. Monitors become components. It has no incidents and no history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from incidents.models.states import ComponentStatus
from incidents.transfer.records import (
    IncomingComponent,
    IncomingGroup,
    IncomingPage,
    public_id_for,
)
from statuspage.importers.errors import SourceError
from statuspage.importers.fields import SourceObject, each, parse_each
from statuspage.importers.report import ImportReport
from statuspage.importers.source import IsSettled, Record

GROUP = "group"
LARGEST = 64 * 1024 * 1024  # bytes


class UptimeKumaSource:
    def __init__(self, path: Path, report: ImportReport, *, name: str) -> None:
        self.name = name
        self.report = report
        self.expected = 0
        self._path = path
        self._monitors: list[object] = []

    def page(self) -> IncomingPage:
        """Raise SourceError if the file is not such a backup."""
        try:
            if self._path.stat().st_size > LARGEST:
                raise SourceError(f"{self._path} is larger than {LARGEST:,} bytes")
            document = json.loads(self._path.read_bytes())
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise SourceError(f"{self._path} is not JSON: {error}") from None
        monitors = document.get("monitorList") if isinstance(document, dict) else None
        if not isinstance(monitors, list):
            raise SourceError(f"{self._path} is not a backup of Uptime Kuma: it has no monitorList")
        self._monitors = monitors
        self.report.not_imported["incidents, maintenances, heartbeats"] = "the backup does not contain them"
        self.report.not_imported["notifications, proxies, checks"] = "Candor has no equivalent"
        return IncomingPage(public_id_for("uptime-kuma", self.name), self.name)

    def records(self, is_settled: IsSettled) -> Iterator[Record]:
        yield from self._groups()
        yield from self._components()

    def _groups(self) -> Iterable[IncomingGroup]:
        monitors = [monitor for monitor in self._monitors if isinstance(monitor, dict)]
        rows = (row for row in each(monitors, "groups", "group", self.report) if row.peek("type") == GROUP)
        return parse_each(rows, "groups", self._group)

    def _components(self) -> Iterable[IncomingComponent]:
        monitors = each(self._monitors, "components", "monitor", self.report)
        rows = (row for row in monitors if row.peek("type") != GROUP)
        return parse_each(rows, "components", self._component)

    def _group(self, row: SourceObject) -> IncomingGroup:
        public_id = self._public_id(row.required("id"))
        return IncomingGroup(public_id, row.line("name") or "(no name)", row.number("weight", 1))

    def _component(self, row: SourceObject) -> IncomingComponent:
        """The component is operational, because a backup has no status."""
        parent = row.text("parent")
        return IncomingComponent(
            public_id=self._public_id(row.required("id")),
            name=row.line("name") or "(no name)",
            status=ComponentStatus.OPERATIONAL,
            position=row.number("weight", 1),
            group=self._public_id(parent) if parent else "",
            description=row.text("description"),
        )

    def _public_id(self, number: str) -> str:
        return public_id_for("uptime-kuma", self.name, "monitor", number)
