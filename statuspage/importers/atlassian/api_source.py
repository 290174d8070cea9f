"""A Statuspage as its owner can read it: the management API v1, with everything in it (contract section 3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from incidents.transfer.records import (
    IncomingComponent,
    IncomingGroup,
    IncomingIncident,
    IncomingMetric,
    IncomingPage,
    IncomingTemplate,
)
from statuspage.importers.atlassian import objects
from statuspage.importers.atlassian.public_source import readable
from statuspage.importers.errors import Forbidden, NotThere, SourceError
from statuspage.importers.fetching import Fetcher
from statuspage.importers.fields import BadObject, SourceObject, each
from statuspage.importers.report import Report
from statuspage.importers.run import IsSettled
from statuspage.subscribers.importing import IncomingSubscriber
from statuspage.subscribers.models import Channel, SubscriberState

API_URL = "https://api.statuspage.io/v1"
PER_PAGE = 100
MOST_PAGES = 10_000
MOST_BROKEN = 3
# In this order: should a server ignore what is asked for, nobody is taken for confirmed who is not.
STATES = {
    "unconfirmed": SubscriberState.PENDING,
    "quarantined": SubscriberState.PAUSED,
    "active": SubscriberState.ACTIVE,
}
_CHANNELS = {"email": Channel.EMAIL, "sms": Channel.SMS, "webhook": Channel.WEBHOOK}


class KeyedSource:
    def __init__(self, page_id: str, fetcher: Fetcher, report: Report, *, api_url: str = API_URL) -> None:
        self.name = f"Statuspage, page {page_id}"
        self.report = report
        self.expected = 0
        self._url = f"{api_url.rstrip('/')}/pages/{quote(page_id, safe='')}"
        self._fetcher = fetcher
        self._zone: tzinfo = UTC

    def page(self) -> IncomingPage:
        try:
            found = objects.page(SourceObject(self._fetcher.json(self._url), "the page", self.report))
        except BadObject as error:
            raise SourceError(f"{self._url} does not look like a page of Statuspage: {error}") from None
        try:
            self._zone = ZoneInfo(found.time_zone)
        except (ValueError, OSError, KeyError):
            """Rails has names of its own, like “Berlin”; the page's writer reports it."""
        return found

    def groups(self) -> Iterable[IncomingGroup]:
        return self._read(self._rows("component-groups", "groups", "group"), "groups", objects.group)

    def components(self) -> Iterable[IncomingComponent]:
        rows = (row for row in self._rows("components", "components", "component") if not row.flag("group"))
        return self._read(rows, "components", objects.component)

    def incidents(self, is_settled: IsSettled) -> Iterator[IncomingIncident]:
        """A page of a hundred costs one call, so that what is settled is read as well."""
        for row in self._rows("incidents", "incidents", "incident", size="limit"):
            if row.peek("postmortem_body_last_updated_at") and not row.peek("postmortem_published_at"):
                row = self._with_draft(row)
            yield from self._read([row], "incidents", objects.incident)

    def templates(self) -> Iterable[IncomingTemplate]:
        return self._read(self._rows("incident_templates", "templates", "template"), "templates", objects.template)

    def metrics(self) -> Iterator[IncomingMetric]:
        """Their numbers stay behind: the API takes numbers, and has no call that gives them back."""
        found = 0
        for metric in self._read(self._rows("metrics", "metrics", "metric"), "metrics", objects.metric):
            found += 1
            yield metric
        if found:
            self.report.leave(f"the numbers of {found} metrics", "the API does not give them; send new ones to both")

    def subscribers(self) -> Iterator[IncomingSubscriber]:
        seen: set[str] = set()
        for state in STATES:
            yield from self._subscribers(f"subscribers?state={state}", state, seen)
        yield from self._subscribers("subscribers/unsubscribed", "unsubscribed", seen)
        self.report.leave("subscribers of single incidents, page access users, team members", "not moved")

    def _subscribers(self, path: str, state: str, seen: set[str]) -> Iterator[IncomingSubscriber]:
        for row in self._rows(path, "subscribers", "subscriber", size="limit", first=0):
            code = row.peek("id")
            if not code or code not in seen:
                seen.add(code)
                yield from self._read([row], "subscribers", lambda one: _subscriber(one, state))

    def _with_draft(self, row: SourceObject) -> SourceObject:
        """The text of a postmortem that was not published is asked for by itself."""
        try:
            found = self._fetcher.json(f"{self._url}/incidents/{quote(row.need('id'))}/postmortem")
            draft = SourceObject(found, row.name, self.report).text("body_draft")
        except (SourceError, BadObject) as error:
            self.report.note(row.name, f"the draft of its postmortem was left out, because {error}")
            return row
        return SourceObject({**row.raw, "postmortem_body": draft}, row.name, self.report, zone=self._zone)

    def _rows(
        self, path: str, kind: str, what: str, *, size: str = "per_page", first: int = 1
    ) -> Iterator[SourceObject]:
        try:
            yield from each(self._pages(path, size, first), kind, what, self.report, zone=self._zone)
        except (NotThere, Forbidden) as error:
            self.report.note(kind, f"could not be read: {error}")

    def _pages(self, path: str, size: str, first: int) -> Iterator[object]:
        """The rows of a list, page by page, until one is short or repeats the one before it.

        A page that cannot be read is reported and passed over.
        """
        previous: object = None
        broken = 0
        joint = "&" if "?" in path else "?"
        for number in range(first, first + MOST_PAGES):
            try:
                rows: Any = self._fetcher.json(f"{self._url}/{path}{joint}{size}={PER_PAGE}&page={number}")
            except (NotThere, Forbidden):
                raise
            except SourceError as error:
                broken += 1
                self.report.skip(path.partition("?")[0], f"page {number} of {path}", str(error))
                if broken == MOST_BROKEN:
                    return
                continue
            broken = 0
            if not isinstance(rows, list) or rows == previous:
                return
            yield from rows
            if len(rows) < PER_PAGE:
                return
            previous = rows

    def _read(self, rows: Iterable[SourceObject], kind: str, read: Any) -> Iterator[Any]:
        return readable(rows, kind, read, self.report)


def _subscriber(row: SourceObject, state: str) -> IncomingSubscriber:
    mode = row.text("mode") or "email"
    if mode not in _CHANNELS:
        raise BadObject(f"it came through Statuspage's own connection to {mode}, which cannot be moved")
    found = SubscriberState.UNSUBSCRIBED if state == "unsubscribed" else STATES[state]
    if found == SubscriberState.ACTIVE and row.text("quarantined_at"):
        found = SubscriberState.PAUSED
    return IncomingSubscriber(
        code=row.need("id"),
        channel=_CHANNELS[mode],
        state=found,
        email="" if mode == "sms" else row.text("email"),
        endpoint=_number(row) if mode == "sms" else row.text("endpoint"),
        components=tuple(objects.keep_code(str(one)) for one in row.list("components")),
        created_at=row.moment("created_at"),
        reason="Quarantined at Statuspage: mail did not arrive." if found == SubscriberState.PAUSED else "",
    )


def _number(row: SourceObject) -> str:
    """With the country's code, which only the number for display may hold."""
    shown = row.text("display_phone_number")
    return shown if shown.startswith("+") else row.text("phone_number")
