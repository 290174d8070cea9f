"""Import a Statuspage without a key: its v2 JSON, the list of its history, and each old incident."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, tzinfo
from html import unescape
from json import JSONDecodeError, loads
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from incidents.models.pages import validate_time_zone
from incidents.transfer.records import (
    ImportOutcome,
    ImportResult,
    IncomingComponent,
    IncomingGroup,
    IncomingIncident,
    IncomingPage,
)
from statuspage.importers.atlassian import incident_page, objects
from statuspage.importers.errors import NotFound, SourceError, Unreadable
from statuspage.importers.fetching import Fetcher
from statuspage.importers.fields import BadObject, each, parse_each, source_object
from statuspage.importers.report import ImportReport
from statuspage.importers.source import IsSettled, Record

LISTS = {
    "/api/v2/summary.json": ("incidents", "scheduled_maintenances"),
    "/api/v2/incidents.json": ("incidents",),
    "/api/v2/scheduled-maintenances.json": ("scheduled_maintenances",),
}
MOST_PAGES = 400  # of three months each
# After so many unreadable pages in a row, the history is considered complete.
MOST_BROKEN = 3
_PROPS = re.compile(r'data-react-class="HistoryIndex"[^>]*data-react-props="([^"]*)"')
_LINK = re.compile(r"/incidents/([a-z0-9]{1,20})\b")


class PublicSource:
    def __init__(self, url: str, fetcher: Fetcher, report: ImportReport) -> None:
        self.name = urlsplit(url).netloc
        self.report = report
        self.expected = 0
        self._url = url.rstrip("/")
        self._fetcher = fetcher
        self._documents: dict[str, Any] = {}
        self._seen: set[str] = set()
        self._zone: tzinfo = UTC
        self._oldest_year = 9999
        self._component_count = 0

    def page(self) -> IncomingPage:
        """Raise SourceError if there is neither a summary nor a status: this is not a Statuspage."""
        document = self._document("/api/v2/summary.json") or self._document("/api/v2/status.json")
        try:
            raw = source_object(document, "the page", self.report).raw.get("page")
            page = objects.page(source_object(raw, "the page", self.report))
        except BadObject as error:
            raise SourceError(f"{self._url} is not a Statuspage: {error}") from None
        try:
            validate_time_zone(page.time_zone)
            self._zone = ZoneInfo(page.time_zone)
        except ValidationError:
            """`upsert_page` reports it."""
        reason = "only their owner can read them: use --api-key"
        self.report.not_imported["subscribers, templates, metrics"] = reason
        return page

    def records(self, is_settled: IsSettled) -> Iterator[Record]:
        yield from self._groups()
        yield from self._components()
        yield from self._incidents(is_settled)

    def _groups(self) -> Iterable[IncomingGroup]:
        rows = [row for row in self._component_rows() if isinstance(row, dict) and row.get("group") is True]
        return parse_each(each(rows, "groups", "group", self.report), "groups", objects.group)

    def _components(self) -> Iterator[IncomingComponent]:
        rows = each(self._component_rows(), "components", "component", self.report)
        components = (row for row in rows if not row.flag("group"))
        for component in parse_each(components, "components", objects.component):
            if start := component.start_date or component.created_at:
                self._oldest_year = min(self._oldest_year, start.year)
            self._component_count += 1
            yield component

    def _incidents(self, is_settled: IsSettled) -> Iterator[IncomingIncident]:
        for path, keys in LISTS.items():
            document = self._document(path)
            for key in keys:
                rows = document.get(key) if isinstance(document, dict) else None
                yield from self._listed(rows if isinstance(rows, list) else [])
        self._documents.clear()
        public_ids = [public_id for public_id in self._public_ids() if public_id not in self._seen]
        self.expected = self._component_count + len(self._seen) + len(public_ids)
        for public_id in public_ids:
            self._seen.add(public_id)
            if is_settled(public_id):
                self.report.add("incidents", f"incident {public_id}", ImportResult(ImportOutcome.UNCHANGED))
                continue
            yield from self._incident(public_id)

    def _listed(self, rows: list[object]) -> Iterator[IncomingIncident]:
        for row in each(rows, "incidents", "incident", self.report, zone=self._zone):
            public_id = row.peek("id")
            if public_id and public_id in self._seen:
                continue
            self._seen.add(public_id)
            for incident in parse_each([row], "incidents", objects.incident):
                lacks_postmortem = objects.lacks_postmortem(row, incident)
                yield from (self._incident(public_id) if lacks_postmortem else [incident])

    def _incident(self, public_id: str) -> Iterator[IncomingIncident]:
        """Read an incident from its JSON, or from its web page if it has none."""
        url, is_guessed = f"{self._url}/incidents/{public_id}", False
        try:
            try:
                raw = self._fetcher.json(f"{url}.json")
            except (NotFound, Unreadable):
                raw, is_guessed = incident_page.incident(self._fetcher.text(url), public_id), True
        except (SourceError, BadObject) as error:
            self.report.skip("incidents", f"incident {public_id}", str(error))
            return
        raw = raw.get("incident", raw) if isinstance(raw, dict) else raw
        rows = each([raw], "incidents", f"incident {public_id}", self.report, key="", zone=self._zone)
        for incident in parse_each(rows, "incidents", objects.incident):
            yield replace(incident, is_guessed=is_guessed)

    def _public_ids(self) -> Iterator[str]:
        """Yield the public id of every incident in the history, newest first."""
        known: set[str] = set()
        has_history = False
        for months in self._histories():
            has_history = True
            for month in months:
                rows = month.get("incidents")
                for row in rows if isinstance(rows, list) else ():
                    public_id = row.get("code") if isinstance(row, dict) else None
                    if isinstance(public_id, str) and public_id not in known:
                        known.add(public_id)
                        yield public_id
        if not has_history:
            yield from self._public_ids_in_feed()

    def _histories(self) -> Iterator[list[dict[str, Any]]]:
        """Yield the months of each page, until the pages are empty and older than the oldest component."""
        broken, empty = 0, 0
        for number in range(1, MOST_PAGES + 1):
            months = self._months(number)
            if months is None:
                broken += 1
                if number == 1 or broken == MOST_BROKEN:
                    return
                continue
            broken = 0
            yield months
            empty = 0 if any(month.get("incidents") for month in months) else empty + 1
            year = min((int(month["year"]) for month in months if str(month.get("year")).isdecimal()), default=0)
            if not months or (empty and year < self._oldest_year - 1) or empty > 20:
                return

    def _months(self, number: int) -> list[dict[str, Any]] | None:
        url = f"{self._url}/history"
        try:
            document = self._fetcher.json(f"{url}.json?page={number}")
        except (NotFound, Unreadable) as error:
            if number > 1 and isinstance(error, NotFound):
                # Some servers mark the end of the history this way.
                return []
            document = self._props(f"{url}?page={number}")
        except SourceError as error:
            self.report.note(f"page {number} of the history", str(error))
            return None
        months = document.get("months") if isinstance(document, dict) else None
        return [month for month in months if isinstance(month, dict)] if isinstance(months, list) else None

    def _props(self, url: str) -> Any:
        """Return the same data from the web page of the history."""
        try:
            match = _PROPS.search(self._fetcher.text(url))
            return loads(unescape(match[1])) if match else None
        except (SourceError, JSONDecodeError) as error:
            self.report.note(url, f"the history cannot be read: {error}")
            return None

    def _public_ids_in_feed(self) -> Iterator[str]:
        """The Atom feed has only the newest incidents."""
        try:
            text = self._fetcher.text(f"{self._url}/history.atom")
        except SourceError as error:
            self.report.note("the history", f"neither /history.json nor /history.atom can be read ({error})")
            return
        note = "only the incidents of the Atom feed were found, because /history.json cannot be read"
        self.report.note("the history", note)
        yield from dict.fromkeys(_LINK.findall(text))

    def _component_rows(self) -> list[object]:
        document = self._document("/api/v2/components.json") or self._document("/api/v2/summary.json")
        rows = document.get("components") if isinstance(document, dict) else None
        return rows if isinstance(rows, list) else []

    def _document(self, path: str) -> Any:
        """Return None, with a note, if it cannot be read."""
        if path not in self._documents:
            try:
                self._documents[path] = self._fetcher.json(self._url + path)
            except SourceError as error:
                self.report.note(path, str(error))
                self._documents[path] = None
        return self._documents[path]
