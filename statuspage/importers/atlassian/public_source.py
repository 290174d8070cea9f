"""A Statuspage as any visitor can read it: v2 JSON, the list of its history, and each old incident by itself."""

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
    IncomingComponent,
    IncomingGroup,
    IncomingIncident,
    IncomingMetric,
    IncomingPage,
    IncomingTemplate,
    Outcome,
    Result,
)
from statuspage.importers.atlassian import incident_page, objects
from statuspage.importers.errors import NotThere, SourceError, Unreadable
from statuspage.importers.fetching import Fetcher
from statuspage.importers.fields import BadObject, SourceObject, each
from statuspage.importers.report import Report
from statuspage.importers.run import IsSettled
from statuspage.subscribers.importing import IncomingSubscriber

LISTS = {
    "/api/v2/summary.json": ("incidents", "scheduled_maintenances"),
    "/api/v2/incidents.json": ("incidents",),
    "/api/v2/scheduled-maintenances.json": ("scheduled_maintenances",),
}
MOST_PAGES = 400  # of three months each: a century
# So many in a row that cannot be read, and the history is taken to be over.
MOST_BROKEN = 3
_PROPS = re.compile(r'data-react-class="HistoryIndex"[^>]*data-react-props="([^"]*)"')
_LINK = re.compile(r"/incidents/([a-z0-9]{1,20})\b")


class PublicSource:
    def __init__(self, url: str, fetcher: Fetcher, report: Report) -> None:
        self.name = urlsplit(url).netloc
        self.report = report
        self.expected = 0
        self._url = url.rstrip("/")
        self._fetcher = fetcher
        self._documents: dict[str, Any] = {}
        self._seen: set[str] = set()
        self._zone: tzinfo = UTC
        self._oldest_year = 9999

    def page(self) -> IncomingPage:
        """SourceError if neither the summary nor the status is there: then this is no Statuspage."""
        document = self._document("/api/v2/summary.json") or self._document("/api/v2/status.json")
        try:
            raw = SourceObject(document, "the page", self.report).raw.get("page")
            found = objects.page(SourceObject(raw, "the page", self.report))
        except BadObject as error:
            raise SourceError(f"{self._url} does not look like a Statuspage: {error}") from None
        try:
            validate_time_zone(found.time_zone)
            self._zone = ZoneInfo(found.time_zone)
        except ValidationError:
            """The page's writer says so."""
        return found

    def groups(self) -> Iterable[IncomingGroup]:
        rows = [row for row in self._components() if isinstance(row, dict) and row.get("group") is True]
        return self._read(each(rows, "groups", "group", self.report), "groups", objects.group)

    def components(self) -> Iterator[IncomingComponent]:
        rows = each(self._components(), "components", "component", self.report)
        leaves = (row for row in rows if not row.flag("group"))
        for component in self._read(leaves, "components", objects.component):
            if begin := component.start_date or component.created_at:
                self._oldest_year = min(self._oldest_year, begin.year)
            yield component

    def incidents(self, is_settled: IsSettled) -> Iterator[IncomingIncident]:
        for path, keys in LISTS.items():
            document = self._document(path)
            for key in keys:
                rows = document.get(key) if isinstance(document, dict) else None
                yield from self._listed(rows if isinstance(rows, list) else [])
        self._documents.clear()
        codes = [code for code in self._codes() if code not in self._seen]
        self.expected = len(self._seen) + len(codes)
        for code in codes:
            self._seen.add(code)
            if is_settled(code):
                self.report.add("incidents", f"incident {code}", Result(Outcome.UNCHANGED))
                continue
            yield from self._one(code)

    def templates(self) -> Iterable[IncomingTemplate]:
        return ()

    def metrics(self) -> Iterable[IncomingMetric]:
        return ()

    def subscribers(self) -> Iterable[IncomingSubscriber]:
        self.report.leave("subscribers, templates, metrics", "only their owner can read them: use --api-key")
        return ()

    def _listed(self, rows: list[object]) -> Iterator[IncomingIncident]:
        for row in each(rows, "incidents", "incident", self.report, zone=self._zone):
            code = row.peek("id")
            if code and code in self._seen:
                continue
            self._seen.add(code)
            for told in self._read([row], "incidents", objects.incident):
                is_short = objects.has_untold_postmortem(row, told)
                yield from (self._one(code) if is_short else [told])

    def _one(self, code: str) -> Iterator[IncomingIncident]:
        """From its JSON, else from its page."""
        url, is_guessed = f"{self._url}/incidents/{code}", False
        try:
            try:
                raw = self._fetcher.json(f"{url}.json")
            except (NotThere, Unreadable):
                raw, is_guessed = incident_page.incident(self._fetcher.text(url), code), True
        except (SourceError, BadObject) as error:
            self.report.skip("incidents", f"incident {code}", str(error))
            return
        raw = raw.get("incident", raw) if isinstance(raw, dict) else raw
        rows = each([raw], "incidents", f"incident {code}", self.report, key="", zone=self._zone)
        for told in self._read(rows, "incidents", objects.incident):
            yield replace(told, is_guessed=is_guessed)

    def _codes(self) -> Iterator[str]:
        """Of every incident in the history, newest first; each once."""
        known: set[str] = set()
        found_any = False
        for months in self._histories():
            found_any = True
            for month in months:
                rows = month.get("incidents")
                for row in rows if isinstance(rows, list) else ():
                    code = row.get("code") if isinstance(row, dict) else None
                    if isinstance(code, str) and code not in known:
                        known.add(code)
                        yield code
        if not found_any:
            yield from self._codes_of_feed()

    def _histories(self) -> Iterator[list[dict[str, Any]]]:
        """Page by page, until the pages are older than the oldest component and nothing is on them."""
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
        except (NotThere, Unreadable) as error:
            if number > 1 and isinstance(error, NotThere):
                # So some servers say that the history ends here.
                return []
            document = self._props(f"{url}?page={number}")
        except SourceError as error:
            self.report.note(f"page {number} of the history", str(error))
            return None
        months = document.get("months") if isinstance(document, dict) else None
        return [month for month in months if isinstance(month, dict)] if isinstance(months, list) else None

    def _props(self, url: str) -> Any:
        """The same data out of the history's web page."""
        try:
            found = _PROPS.search(self._fetcher.text(url))
            return loads(unescape(found[1])) if found else None
        except (SourceError, JSONDecodeError) as error:
            self.report.note(url, f"the history cannot be read here: {error}")
            return None

    def _codes_of_feed(self) -> Iterator[str]:
        """The Atom feed holds the newest only."""
        try:
            text = self._fetcher.text(f"{self._url}/history.atom")
        except SourceError as error:
            self.report.note("the history", f"neither /history.json nor /history.atom can be read ({error})")
            return
        self.report.note("the history", "only what the Atom feed lists was found: /history.json cannot be read")
        yield from dict.fromkeys(_LINK.findall(text))

    def _components(self) -> list[object]:
        document = self._document("/api/v2/components.json") or self._document("/api/v2/summary.json")
        rows = document.get("components") if isinstance(document, dict) else None
        return rows if isinstance(rows, list) else []

    def _document(self, path: str) -> Any:
        """None, and a note, if it cannot be read."""
        if path not in self._documents:
            try:
                self._documents[path] = self._fetcher.json(self._url + path)
            except SourceError as error:
                self.report.note(path, str(error))
                self._documents[path] = None
        return self._documents[path]

    def _read(self, rows: Iterable[SourceObject], kind: str, read: Any) -> Iterator[Any]:
        return readable(rows, kind, read, self.report)


def readable(rows: Iterable[SourceObject], kind: str, read: Any, report: Report) -> Iterator[Any]:
    """What `read` makes of each; those of which it can make nothing are reported."""
    for row in rows:
        try:
            yield read(row)
        except BadObject as error:
            report.skip(kind, row.name, str(error))
