"""Write a page to a file, one JSON object per line, and restore it (docs/export-format.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DatabaseError
from django.utils import timezone

from incidents.models import Page
from incidents.transfer import export
from incidents.transfer.import_runs import newest_affected, record_import
from incidents.transfer.records import ImportOutcome, ImportResult
from incidents.transfer.restore_components import restore_component, restore_group, restore_target
from incidents.transfer.restore_incidents import restore_incident, restore_merged, restore_series
from incidents.transfer.restore_metrics import restore_metric, restore_provider
from incidents.transfer.restore_pages import restore_audit_log, restore_logo, restore_page
from incidents.transfer.restore_status_history import restore_status_history
from incidents.transfer.restore_templates import restore_template
from incidents.transfer.serialization import plain
from statuspage.importers.errors import SourceError
from statuspage.importers.report import ImportReport
from statuspage.subscribers import export as subscribers

HEADER = "candor-export"
FORMAT = 1
LARGEST_LINE = 64 * 1024 * 1024  # characters
PLURALS = {
    "metrics_provider": "providers",
    "merged": "merged incidents",
    "history": "status histories",
    "series": "series",
    "audit": "audit entries",
}

# Errors that a line raises if no export has written it: missing or bad values, and values that the database rejects.
BAD_LINE_ERRORS = (ValidationError, KeyError, TypeError, ValueError, OverflowError, DatabaseError)

Restore = Callable[[Page, dict[str, Any]], ImportResult]
RESTORERS: dict[str, Restore] = {
    "logo": restore_logo,
    "group": restore_group,
    "component": restore_component,
    "target": restore_target,
    "series": restore_series,
    "preset": restore_template,
    "metrics_provider": restore_provider,
    "metric": restore_metric,
    "incident": restore_incident,
    "merged": restore_merged,
    "history": restore_status_history,
    "subscriber": subscribers.restore_subscriber,
}


def write(page: Page, file: IO[str], *, with_secrets: bool) -> int:
    """Write everything of `page`. Return the number of lines."""
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


class ArchiveReader:
    """Restores a page from a file. Each line is one transaction; the whole audit log is one."""

    def __init__(self, path: Path, report: ImportReport) -> None:
        self._path = path
        self._report = report
        self._number = 0
        self._is_complete = False

    def restore(self) -> Page:
        """Return the page. Raise SourceError if the file is not an export."""
        lines = self._lines()
        header = next(lines, {})
        if header.get("type") != HEADER:
            raise SourceError(f"{self._path} is not an export of Candor: its first line has no header")
        if header.get("format") != FORMAT:
            raise SourceError(f"{self._path} has the format {header.get('format')}; only format {FORMAT} is supported")
        page = self._page(next(lines, {}))
        audit: list[dict[str, Any]] = []
        for raw in lines:
            if raw.get("type") == "audit":
                audit = [raw]
                break
            self._restore(page, raw)
        self._restore_audit(page, audit, lines)
        if not self._is_complete:
            self._report.note(str(self._path), f"it ends after line {self._number}, without the last line of an export")
        if self._report.written:
            details = {"read": self._report.counts, "folded": newest_affected(page)}
            record_import(page, source=self._path.name, details=details)
        return page

    def _page(self, raw: dict[str, Any]) -> Page:
        try:
            if raw.get("type") != "page":
                raise ValidationError("the second line is not a page")
            page, result = restore_page(raw)
        except BAD_LINE_ERRORS as error:
            raise SourceError(f"{self._path} cannot be read: {_reason(error)}") from error
        self._report.add("pages", f"page {page}", result)
        return page

    def _restore(self, page: Page, raw: dict[str, Any]) -> None:
        kind = str(raw.get("type"))
        plural = PLURALS.get(kind, f"{kind}s")
        name = f"line {self._number}, {kind} {raw.get('public_id') or raw.get('component') or raw.get('ground')}"
        if kind not in RESTORERS:
            self._report.skip("lines", f"line {self._number}", f"its type “{kind[:40]}” is unknown")
            return
        try:
            self._report.add(plural, name, RESTORERS[kind](page, raw))
        except (*BAD_LINE_ERRORS, AttributeError, ObjectDoesNotExist) as error:
            self._report.skip(plural, name, _reason(error))
        self._report.progress("lines", self._number)

    def _restore_audit(self, page: Page, first: list[dict[str, Any]], lines: Iterator[dict[str, Any]]) -> None:
        def entries() -> Iterator[dict[str, Any]]:
            yield from first
            for raw in lines:
                if raw.get("type") == "audit":
                    yield raw
                else:
                    self._restore(page, raw)

        try:
            count, is_written = restore_audit_log(page, entries())
        except BAD_LINE_ERRORS as error:
            self._report.skip("audit entries", f"the audit log, near line {self._number}", _reason(error))
            return
        for _ in range(count):
            self._report.add(
                "audit entries", "", ImportResult(ImportOutcome.CREATED if is_written else ImportOutcome.UNCHANGED)
            )

    def _lines(self) -> Iterator[dict[str, Any]]:
        """Yield the objects. A line that is not a JSON object is reported and skipped."""
        try:
            with self._path.open(encoding="utf-8") as file:
                while line := file.readline(LARGEST_LINE):
                    self._number += 1
                    raw = self._parsed(line)
                    if raw is not None and raw.get("type") == "end":
                        self._is_complete = raw.get("lines") == self._number
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
        return "it refers to an object that is not in the file"
    return f"it is not valid: {error}".rstrip(".")
