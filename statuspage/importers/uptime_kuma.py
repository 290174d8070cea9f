"""Uptime Kuma's backup file (1.x): its monitors become components. The file holds no incidents and no history."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from incidents.models.states import ComponentStatus
from incidents.transfer.records import (
    IncomingComponent,
    IncomingGroup,
    IncomingIncident,
    IncomingMetric,
    IncomingPage,
    IncomingTemplate,
    public_id_for,
)
from statuspage.importers.atlassian.public_source import readable
from statuspage.importers.errors import SourceError
from statuspage.importers.fields import SourceObject, each
from statuspage.importers.report import Report
from statuspage.importers.run import IsSettled
from statuspage.subscribers.importing import IncomingSubscriber

GROUP = "group"
LARGEST = 64 * 1024 * 1024  # bytes


class UptimeKumaSource:
    def __init__(self, path: Path, report: Report, *, name: str) -> None:
        self.name = name
        self.report = report
        self.expected = 0
        self._path = path
        self._monitors: list[object] = []

    def page(self) -> IncomingPage:
        """SourceError if it is no such file."""
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
            raise SourceError(f"{self._path} is no backup of Uptime Kuma: it has no monitorList")
        self._monitors = monitors
        return IncomingPage(public_id_for("uptime-kuma", self.name), self.name)

    def groups(self) -> Iterable[IncomingGroup]:
        monitors = [one for one in self._monitors if isinstance(one, dict)]
        rows = (row for row in each(monitors, "groups", "group", self.report) if row.peek("type") == GROUP)
        return readable(rows, "groups", self._group, self.report)

    def components(self) -> Iterable[IncomingComponent]:
        monitors = each(self._monitors, "components", "monitor", self.report)
        rows = (row for row in monitors if row.peek("type") != GROUP)
        return readable(rows, "components", self._component, self.report)

    def incidents(self, is_settled: IsSettled) -> Iterable[IncomingIncident]:
        self.report.leave("incidents, maintenances, heartbeats", "a backup of Uptime Kuma does not hold them")
        return ()

    def templates(self) -> Iterable[IncomingTemplate]:
        return ()

    def metrics(self) -> Iterable[IncomingMetric]:
        return ()

    def subscribers(self) -> Iterable[IncomingSubscriber]:
        self.report.leave("notifications, proxies, checks", "they have no place here")
        return ()

    def _group(self, row: SourceObject) -> IncomingGroup:
        return IncomingGroup(self._code(row.need("id")), row.line("name") or "(no name)", row.number("weight", 1))

    def _component(self, row: SourceObject) -> IncomingComponent:
        """Operational: whether it is up is not for a backup to say."""
        parent = row.text("parent")
        return IncomingComponent(
            code=self._code(row.need("id")),
            name=row.line("name") or "(no name)",
            status=ComponentStatus.OPERATIONAL,
            position=row.number("weight", 1),
            group=self._code(parent) if parent else "",
            description=row.text("description"),
        )

    def _code(self, number: str) -> str:
        return public_id_for("uptime-kuma", self.name, "monitor", number)
