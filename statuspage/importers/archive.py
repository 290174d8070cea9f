"""A page of Candor as a file, one JSON object a line, and back (docs/export-format.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DatabaseError
from django.utils import timezone

from incidents.actor import Actor
from incidents.models import Page
from incidents.transfer import export, restore_logos, restore_metrics, restore_records
from incidents.transfer import restore as transfer_restore
from incidents.transfer.import_pages import record_import
from incidents.transfer.import_status_history import newest_affected
from incidents.transfer.records import Outcome, Result
from incidents.transfer.serialization import plain
from statuspage.importers.errors import SourceError
from statuspage.importers.report import Report
from statuspage.importers.run import Progress
from statuspage.subscribers import export as subscribers

HEADER = "candor-export"
FORMAT = 1
LARGEST_LINE = 64 * 1024 * 1024  # characters
PLURALS = {
    "metrics_provider": "providers",
    "merged": "joined incidents",
    "history": "histories",
    "series": "series",
    "audit": "audit entries",
}

# Of a line that is not what an export writes: what it lacks, and what the database does not hold.
MISFITS = (ValidationError, KeyError, TypeError, ValueError, OverflowError, DatabaseError)

Restore = Callable[[Page, dict[str, Any]], Result]
RESTORERS: dict[str, Restore] = {
    "logo": restore_logos.restore_logo,
    "group": transfer_restore.restore_group,
    "component": transfer_restore.restore_component,
    "target": transfer_restore.restore_target,
    "series": transfer_restore.restore_series,
    "preset": restore_metrics.restore_incident_template,
    "metrics_provider": restore_metrics.restore_provider,
    "metric": restore_metrics.restore_metric,
    "incident": transfer_restore.restore_incident,
    "merged": transfer_restore.restore_merged,
    "history": restore_records.restore_history,
    "subscriber": subscribers.restore_subscriber,
}


def write(page: Page, file: IO[str], *, with_secrets: bool) -> int:
    """Everything of `page`, line by line; how many lines."""
    count = 0
    for raw in _objects(page, with_secrets=with_secrets):
        count += 1
        file.write(f"{json.dumps(raw, ensure_ascii=False, separators=(',', ':'))}\n")
    file.write(f"{json.dumps({'type': 'end', 'lines': count + 1}, separators=(',', ':'))}\n")
    return count + 1


def _objects(page: Page, *, with_secrets: bool) -> Iterator[dict[str, Any]]:
    at = plain(timezone.now())
    yield {"type": HEADER, "format": FORMAT, "exported_at": at, "with_secrets": with_secrets}
    yield from export.objects(page)
    yield from subscribers.objects(page, with_secrets=with_secrets)
    yield from export.audit_entries(page)


class Reader:
    """Puts a file back, line by line; each line is a transaction, the audit log together is one."""

    def __init__(self, path: Path, report: Report, progress: Progress) -> None:
        self._path = path
        self._report = report
        self._progress = progress
        self._number = 0
        self._is_whole = False

    def restore(self) -> Page:
        """The page of the file. SourceError if it is no such file."""
        lines = self._lines()
        header = next(lines, {})
        if header.get("type") != HEADER:
            raise SourceError(f"{self._path} is no export of Candor: its first line does not say so")
        if header.get("format") != FORMAT:
            raise SourceError(f"{self._path} has the format {header.get('format')}; only {FORMAT} is known here")
        page = self._page(next(lines, {}))
        audit: list[dict[str, Any]] = []
        for raw in lines:
            if raw.get("type") == "audit":
                audit = [raw]
                break
            self._restore(page, raw)
        self._restore_audit(page, audit, lines)
        if not self._is_whole:
            self._report.note(str(self._path), f"it breaks off after line {self._number}; what follows is missing")
        if self._report.written:
            actor = Actor("system", "import", f"Import from {self._path.name}"[:200])
            details = {"read": self._report.as_json(), "folded": newest_affected(page)}
            record_import(page, actor=actor, details=details)
        return page

    def _page(self, raw: dict[str, Any]) -> Page:
        try:
            if raw.get("type") != "page":
                raise ValidationError("the second line is no page")
            page, result = transfer_restore.restore_page(raw)
        except MISFITS as error:
            raise SourceError(f"{self._path} cannot be read: {_reason(error)}") from error
        self._report.add("pages", f"page {page}", result)
        return page

    def _restore(self, page: Page, raw: dict[str, Any]) -> None:
        kind = str(raw.get("type"))
        plural = PLURALS.get(kind, f"{kind}s")
        name = f"line {self._number}, {kind} {raw.get('public_id') or raw.get('component') or raw.get('ground')}"
        if kind not in RESTORERS:
            self._report.skip("lines", f"line {self._number}", f"nothing here is called “{kind[:40]}”")
            return
        try:
            self._report.add(plural, name, RESTORERS[kind](page, raw))
        except (*MISFITS, AttributeError, ObjectDoesNotExist) as error:
            self._report.skip(plural, name, _reason(error))
        self._progress("lines", self._number, 0)

    def _restore_audit(self, page: Page, first: list[dict[str, Any]], lines: Iterator[dict[str, Any]]) -> None:
        def entries() -> Iterator[dict[str, Any]]:
            yield from first
            for raw in lines:
                if raw.get("type") == "audit":
                    yield raw
                else:
                    self._restore(page, raw)

        try:
            count, is_written = restore_records.restore_audit(page, entries())
        except MISFITS as error:
            self._report.skip("audit entries", f"the audit log, near line {self._number}", _reason(error))
            return
        for _ in range(count):
            self._report.add("audit entries", "", Result(Outcome.CREATED if is_written else Outcome.UNCHANGED))

    def _lines(self) -> Iterator[dict[str, Any]]:
        """What is no JSON object is named and passed over."""
        try:
            with self._path.open(encoding="utf-8") as file:
                while line := file.readline(LARGEST_LINE):
                    self._number += 1
                    raw = self._parsed(line)
                    if raw is not None and raw.get("type") == "end":
                        self._is_whole = raw.get("lines") == self._number
                        return
                    if raw is not None:
                        yield raw
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{self._path} cannot be read: {error}") from error

    def _parsed(self, line: str) -> dict[str, Any] | None:
        try:
            raw = json.loads(line)
        except (ValueError, RecursionError) as error:
            self._report.skip("lines", f"line {self._number}", f"it is not JSON ({error})")
            return None
        if not isinstance(raw, dict):
            self._report.skip("lines", f"line {self._number}", "it is not an object")
            return None
        return raw


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return " ".join(error.messages).rstrip(".")
    if isinstance(error, KeyError):
        return f"its {error.args[0]} is missing"
    if isinstance(error, ObjectDoesNotExist):
        return "it names something that is not in the file"
    return f"it does not fit: {error}".rstrip(".")
