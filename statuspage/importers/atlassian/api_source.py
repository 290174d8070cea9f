"""Import a Statuspage with its owner's API key, from the management API v1 (contract section 3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, tzinfo
from functools import partial
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
from statuspage.importers.errors import Forbidden, NotFound, SourceError
from statuspage.importers.fetching import Fetcher
from statuspage.importers.fields import BadObject, SourceObject, each, parse_each, source_object
from statuspage.importers.report import ImportReport
from statuspage.importers.source import IsSettled, Record
from statuspage.subscribers.importing import IncomingSubscriber
from statuspage.subscribers.models import Channel, SubscriberState

API_URL = "https://api.statuspage.io/v1"
PER_PAGE = 100
MOST_PAGES = 10_000
MOST_BROKEN = 3
QUARANTINED = "Quarantined by Statuspage because emails could not be delivered."
# In this order: if a server ignores the filter, no unconfirmed subscriber is imported as active.
STATES = {
    "unconfirmed": SubscriberState.PENDING,
    "quarantined": SubscriberState.PAUSED,
    "active": SubscriberState.ACTIVE,
}
_CHANNELS = {"email": Channel.EMAIL, "sms": Channel.SMS, "webhook": Channel.WEBHOOK}


class ApiSource:
    def __init__(self, page_id: str, fetcher: Fetcher, report: ImportReport, *, api_url: str = API_URL) -> None:
        self.name = f"Statuspage, page {page_id}"
        self.report = report
        self.expected = 0
        self._url = f"{api_url.rstrip('/')}/pages/{quote(page_id, safe='')}"
        self._fetcher = fetcher
        self._zone: tzinfo = UTC

    def page(self) -> IncomingPage:
        try:
            page = objects.page(source_object(self._fetcher.json(self._url), "the page", self.report))
        except BadObject as error:
            raise SourceError(f"{self._url} is not a page of Statuspage: {error}") from None
        try:
            self._zone = ZoneInfo(page.time_zone)
        except (ValueError, OSError, KeyError):
            """A name of Rails, for example “Berlin”. `upsert_page` reports it."""
        self.report.not_imported["subscribers of single incidents, page access users, team members"] = "not supported"
        return page

    def records(self, is_settled: IsSettled) -> Iterator[Record]:
        yield from self._groups()
        yield from self._components()
        yield from self._incidents()
        yield from self._templates()
        yield from self._metrics()
        yield from self._subscribers()

    def _groups(self) -> Iterable[IncomingGroup]:
        return parse_each(self._rows("component-groups", "groups", "group"), "groups", objects.group)

    def _components(self) -> Iterable[IncomingComponent]:
        rows = (row for row in self._rows("components", "components", "component") if not row.flag("group"))
        return parse_each(rows, "components", objects.component)

    def _incidents(self) -> Iterator[IncomingIncident]:
        """Settled incidents are read too: a list of a hundred is one request."""
        for row in self._rows("incidents", "incidents", "incident", size="limit"):
            if row.peek("postmortem_body_last_updated_at") and not row.peek("postmortem_published_at"):
                row = self._with_draft(row)
            yield from parse_each([row], "incidents", objects.incident)

    def _templates(self) -> Iterable[IncomingTemplate]:
        return parse_each(self._rows("incident_templates", "templates", "template"), "templates", objects.template)

    def _metrics(self) -> Iterator[IncomingMetric]:
        """Yield the metrics without their points, which the API does not provide."""
        count = 0
        for metric in parse_each(self._rows("metrics", "metrics", "metric"), "metrics", objects.metric):
            count += 1
            yield metric
        if count:
            reason = "the API does not provide them; send new points to both products"
            self.report.not_imported[f"the points of {count} metrics"] = reason

    def _subscribers(self) -> Iterator[IncomingSubscriber]:
        seen: set[str] = set()
        for state in STATES:
            yield from self._subscribers_in(f"subscribers?state={state}", state, seen)
        yield from self._subscribers_in("subscribers/unsubscribed", "unsubscribed", seen)

    def _subscribers_in(self, path: str, state: str, seen: set[str]) -> Iterator[IncomingSubscriber]:
        for row in self._rows(path, "subscribers", "subscriber", size="limit", first=0):
            subscriber_id = row.peek("id")
            if not subscriber_id or subscriber_id not in seen:
                seen.add(subscriber_id)
                yield from parse_each([row], "subscribers", partial(_subscriber, state=state))

    def _with_draft(self, row: SourceObject) -> SourceObject:
        """Add the text of an unpublished postmortem, which needs a request of its own."""
        try:
            postmortem = self._fetcher.json(f"{self._url}/incidents/{quote(row.required('id'))}/postmortem")
            draft = source_object(postmortem, row.name, self.report).text("body_draft")
        except (SourceError, BadObject) as error:
            self.report.note(row.name, f"the draft of its postmortem was left out, because {error}")
            return row
        return SourceObject({**row.raw, "postmortem_body": draft}, row.name, self.report, zone=self._zone)

    def _rows(
        self, path: str, plural: str, kind: str, *, size: str = "per_page", first: int = 1
    ) -> Iterator[SourceObject]:
        try:
            yield from each(self._pages(path, size, first), plural, kind, self.report, zone=self._zone)
        except (NotFound, Forbidden) as error:
            self.report.note(plural, f"could not be read: {error}")

    def _pages(self, path: str, size: str, first: int) -> Iterator[object]:
        """Yield the rows of a list, until a page is short or repeats the one before it.

        A page that cannot be read is reported and skipped.
        """
        previous: object = None
        broken = 0
        separator = "&" if "?" in path else "?"
        for number in range(first, first + MOST_PAGES):
            try:
                rows: Any = self._fetcher.json(f"{self._url}/{path}{separator}{size}={PER_PAGE}&page={number}")
            except (NotFound, Forbidden):
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


def _subscriber(row: SourceObject, state: str) -> IncomingSubscriber:
    mode = row.text("mode") or "email"
    if mode not in _CHANNELS:
        raise BadObject(f"it uses Statuspage's integration with {mode}, which cannot be imported")
    new_state = SubscriberState.UNSUBSCRIBED if state == "unsubscribed" else STATES[state]
    if new_state == SubscriberState.ACTIVE and row.text("quarantined_at"):
        new_state = SubscriberState.PAUSED
    return IncomingSubscriber(
        public_id=row.required("id"),
        channel=_CHANNELS[mode],
        state=new_state,
        email="" if mode == "sms" else row.text("email"),
        endpoint=_phone_number(row) if mode == "sms" else row.text("endpoint"),
        components=tuple(objects.public_id_of(str(item)) for item in row.list("components")),
        created_at=row.moment("created_at"),
        reason=QUARANTINED if new_state == SubscriberState.PAUSED else "",
    )


def _phone_number(row: SourceObject) -> str:
    """Return the number with its country code, which only the number for display may have."""
    displayed = row.text("display_phone_number")
    return displayed if displayed.startswith("+") else row.text("phone_number")
