"""Import a CSV file with one line per update (docs/moving.md), for products without an importer."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from itertools import groupby
from pathlib import Path

from incidents.models.states import STATUSES_OF, ComponentStatus, Impact, Kind
from incidents.transfer.records import (
    IncomingChange,
    IncomingComponent,
    IncomingIncident,
    IncomingPage,
    IncomingUpdate,
    is_public_id,
    public_id_for,
)
from statuspage.importers.errors import SourceError
from statuspage.importers.fields import BadObject, SourceObject
from statuspage.importers.report import ImportReport
from statuspage.importers.source import IsSettled, Record

REQUIRED = ("incident", "title", "status", "at", "body")
OPTIONAL = ("kind", "impact", "components", "scheduled_for", "scheduled_until")


@dataclass
class CsvSource:
    """A CSV file, read twice: for the components, then for the incidents. The lines of an incident are consecutive."""

    path: Path
    report: ImportReport
    name: str
    zone: tzinfo = UTC
    expected: int = 0

    def page(self) -> IncomingPage:
        """Raise SourceError if the file cannot be read or lacks a column."""
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                columns = csv.DictReader(file).fieldnames or []
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(f"{self.path} cannot be read as CSV in UTF-8: {error}") from error
        missing = [name for name in REQUIRED if name not in columns]
        if missing:
            raise SourceError(f"{self.path} lacks the columns {', '.join(missing)}")
        unknown = [name for name in columns if name not in REQUIRED + OPTIONAL]
        if unknown:
            self.report.not_imported[f"columns {', '.join(unknown)}"] = "unknown"
        self.report.not_imported["subscribers"] = "import them in the console"
        return IncomingPage(public_id_for("csv", self.name), self.name, time_zone=str(self.zone))

    def records(self, is_settled: IsSettled) -> Iterator[Record]:
        yield from self._components()
        yield from self._incidents()

    def _components(self) -> Iterator[IncomingComponent]:
        """Yield every name in the column `components`, in the order of its first mention."""
        names: dict[str, None] = {}
        for row in self._rows(quiet=True):
            names.update(dict.fromkeys(name for name, _ in _component_statuses(row)))
        for position, name in enumerate(names, start=1):
            yield IncomingComponent(self._component_id(name), name, ComponentStatus.OPERATIONAL, position)

    def _incidents(self) -> Iterator[IncomingIncident]:
        seen: set[str] = set()
        for key, group in groupby(self._rows(), key=lambda row: _cell(row, "incident")):
            rows = list(group)
            try:
                if key in seen:
                    raise BadObject("its lines are not consecutive")
                seen.add(key)
                yield self._incident(key, rows)
            except BadObject as error:
                self.report.skip("incidents", rows[0].name, str(error))

    def _incident(self, key: str, rows: list[SourceObject]) -> IncomingIncident:
        first = rows[0]
        if not key:
            raise BadObject("its column incident is empty")
        kind = first.choice("kind", Kind.values, Kind.INCIDENT) if _cell(first, "kind") else Kind.INCIDENT
        public_id = key if len(key) == 12 and is_public_id(key) else public_id_for("csv", self.name, "incident", key)
        updates = []
        for row in rows:
            try:
                updates.append(self._update(row, kind, public_id))
            except BadObject as error:
                self.report.skip("updates", row.name, str(error))
        if not updates:
            raise BadObject("none of its updates can be read")
        return IncomingIncident(
            public_id=public_id,
            title=" ".join(_cell(first, "title").split()) or "(no title)",
            status=max(updates, key=lambda update: update.display_at).status,
            updates=tuple(updates),
            kind=kind,
            impact=first.choice("impact", Impact.values, Impact.MINOR) if _cell(first, "impact") else "",
            scheduled_for=first.moment("scheduled_for"),
            scheduled_until=first.moment("scheduled_until"),
        )

    def _update(self, row: SourceObject, kind: str, incident_id: str) -> IncomingUpdate:
        statuses = STATUSES_OF[Kind(kind)]
        at = row.required_moment("at")
        body = row.raw["body"] or ""
        status = row.choice("status", statuses, statuses[0])
        changes = tuple(
            IncomingChange(self._component_id(name), _component_status(row, text), name=name)
            for name, text in _component_statuses(row)
        )
        public_id = public_id_for(incident_id, at.isoformat(), status, body)
        return IncomingUpdate(public_id, status, body, at, changes=changes)

    def _component_id(self, name: str) -> str:
        return public_id_for("csv", self.name, "component", name)

    def _rows(self, *, quiet: bool = False) -> Iterator[SourceObject]:
        """Yield the rows, named by their line. `quiet`: do not report errors, because the file is read again."""
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            while True:
                try:
                    raw = next(reader)
                except StopIteration:
                    return
                except (csv.Error, UnicodeDecodeError) as error:
                    if not quiet:
                        self.report.skip("updates", f"line {reader.line_num} and the following", str(error))
                    return
                yield SourceObject(raw, f"line {reader.line_num}", self.report, zone=self.zone)


def _cell(row: SourceObject, column: str) -> str:
    return (row.raw.get(column) or "").strip()


def _component_statuses(row: SourceObject) -> list[tuple[str, str]]:
    """Parse `API=partial_outage; Web=operational`."""
    pairs = (part.partition("=") for part in _cell(row, "components").split(";") if part.strip())
    return [(name.strip(), status.strip() or ComponentStatus.OPERATIONAL) for name, _, status in pairs if name.strip()]


def _component_status(row: SourceObject, text: str) -> str:
    return row.nearest("components", text, ComponentStatus.values, ComponentStatus.DEGRADED_PERFORMANCE)
