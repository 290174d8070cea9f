"""A CSV file of our own columns: one line per update, for whatever has no importer (docs/moving.md)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from itertools import groupby
from pathlib import Path

from incidents.models.states import STATUSES_OF, ComponentStatus, Impact, Kind
from incidents.transfer.records import (
    IncomingChange,
    IncomingComponent,
    IncomingGroup,
    IncomingIncident,
    IncomingMetric,
    IncomingPage,
    IncomingTemplate,
    IncomingUpdate,
    is_public_id,
    public_id_for,
)
from statuspage.importers.errors import SourceError
from statuspage.importers.fields import BadObject, SourceObject
from statuspage.importers.report import Report
from statuspage.importers.run import IsSettled
from statuspage.subscribers.importing import IncomingSubscriber

REQUIRED = ("incident", "title", "status", "at", "body")
OPTIONAL = ("kind", "impact", "components", "scheduled_for", "scheduled_until")


class SheetSource:
    """Read twice, line by line: once for the components, once for the incidents, whose lines must stand together."""

    def __init__(self, path: Path, report: Report, *, name: str, zone: tzinfo = UTC) -> None:
        self.name = name
        self.report = report
        self.expected = 0
        self._path = path
        self._zone = zone

    def page(self) -> IncomingPage:
        """SourceError if the file cannot be read, or lacks a column."""
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                columns = csv.DictReader(file).fieldnames or []
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(f"{self._path} cannot be read as CSV in UTF-8: {error}") from error
        missing = [name for name in REQUIRED if name not in columns]
        if missing:
            raise SourceError(f"{self._path} lacks the columns {', '.join(missing)}")
        unknown = [name for name in columns if name not in REQUIRED + OPTIONAL]
        if unknown:
            self.report.leave(f"columns {', '.join(unknown)}", "unknown")
        return IncomingPage(public_id_for("csv", self.name), self.name, time_zone=str(self._zone))

    def groups(self) -> Iterable[IncomingGroup]:
        return ()

    def components(self) -> Iterator[IncomingComponent]:
        """Every name in the column `components`, in the order of their first mention."""
        names: dict[str, None] = {}
        for row in self._rows(quiet=True):
            names.update(dict.fromkeys(name for name, _ in _named(row)))
        for position, name in enumerate(names, start=1):
            yield IncomingComponent(self._component_code(name), name, ComponentStatus.OPERATIONAL, position)

    def incidents(self, is_settled: IsSettled) -> Iterator[IncomingIncident]:
        seen: set[str] = set()
        for key, rows in groupby(self._rows(), key=lambda row: row.text("incident").strip()):
            lines = list(rows)
            try:
                if key in seen:
                    raise BadObject("its lines do not stand together")
                seen.add(key)
                yield self._incident(key, lines)
            except BadObject as error:
                self.report.skip("incidents", lines[0].name, str(error))

    def templates(self) -> Iterable[IncomingTemplate]:
        return ()

    def metrics(self) -> Iterable[IncomingMetric]:
        return ()

    def subscribers(self) -> Iterable[IncomingSubscriber]:
        self.report.leave("subscribers", "the console has a CSV import of its own for them")
        return ()

    def _incident(self, key: str, lines: list[SourceObject]) -> IncomingIncident:
        first = lines[0]
        if not key:
            raise BadObject("its column incident is empty")
        kind = first.choice("kind", Kind.values, Kind.INCIDENT) if first.text("kind") else Kind.INCIDENT
        code = key if is_public_id(key) and len(key) == 12 else public_id_for("csv", self.name, "incident", key)
        updates = []
        for line in lines:
            try:
                updates.append(self._update(line, kind, code))
            except BadObject as error:
                self.report.skip("updates", line.name, str(error))
        if not updates:
            raise BadObject("none of its updates can be read")
        return IncomingIncident(
            code=code,
            title=first.line("title") or "(no title)",
            status=max(updates, key=lambda one: one.display_at).status,
            updates=tuple(updates),
            kind=kind,
            impact=first.choice("impact", Impact.values, Impact.MINOR) if first.text("impact") else "",
            scheduled_for=first.moment("scheduled_for"),
            scheduled_until=first.moment("scheduled_until"),
        )

    def _update(self, line: SourceObject, kind: str, code: str) -> IncomingUpdate:
        steps = STATUSES_OF[Kind(kind)]
        at = line.need_moment("at")
        body = line.text("body")
        status = line.choice("status", steps, steps[0])
        changes = tuple(
            IncomingChange(self._component_code(name), self._component_status(line, text), name=name)
            for name, text in _named(line)
        )
        return IncomingUpdate(public_id_for(code, at.isoformat(), status, body), status, body, at, changes=changes)

    def _component_status(self, line: SourceObject, text: str) -> str:
        return line.word("components", text, ComponentStatus.values, ComponentStatus.DEGRADED_PERFORMANCE)

    def _component_code(self, name: str) -> str:
        return public_id_for("csv", self.name, "component", name)

    def _rows(self, *, quiet: bool = False) -> Iterator[SourceObject]:
        """`quiet`: what is wrong with the file is said when it is read again."""
        with self._path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            while True:
                try:
                    raw = next(reader)
                except StopIteration:
                    return
                except (csv.Error, UnicodeDecodeError) as error:
                    if not quiet:
                        self.report.skip("updates", f"line {reader.line_num} and what follows", str(error))
                    return
                yield SourceObject(raw, f"line {reader.line_num}", self.report, zone=self._zone)


def _named(row: SourceObject) -> list[tuple[str, str]]:
    """`API=partial_outage; Web=operational`."""
    pairs = (part.partition("=") for part in row.text("components").split(";") if part.strip())
    return [(name.strip(), status.strip() or ComponentStatus.OPERATIONAL) for name, _, status in pairs if name.strip()]
