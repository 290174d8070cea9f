"""Import a Cachet installation: the API v1 of Cachet 2, or the JSON:API of Cachet 3.

Public ids are derived from Cachet's numeric ids and from the address. Cachet's times have no time zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from urllib.parse import urlsplit

from incidents.models.states import ComponentStatus, Impact, Kind, Status
from incidents.transfer.records import (
    IncomingChange,
    IncomingComponent,
    IncomingGroup,
    IncomingIncident,
    IncomingPage,
    IncomingUpdate,
    public_id_for,
)
from statuspage.importers.cachet_json import has_next, plain, related
from statuspage.importers.errors import Forbidden, NotFound, SourceError, Unreadable
from statuspage.importers.fetching import Fetcher
from statuspage.importers.fields import SourceObject, each, parse_each
from statuspage.importers.html_to_markdown import as_markdown
from statuspage.importers.report import ImportReport
from statuspage.importers.source import IsSettled, Record
from statuspage.subscribers.importing import IncomingSubscriber
from statuspage.subscribers.models import Channel, SubscriberState

PER_PAGE = 100
MOST_PAGES = 10_000
COMPONENT_STATUSES = {
    "1": ComponentStatus.OPERATIONAL,
    "2": ComponentStatus.DEGRADED_PERFORMANCE,
    "3": ComponentStatus.PARTIAL_OUTAGE,
    "4": ComponentStatus.MAJOR_OUTAGE,
}
INCIDENT_STATUSES = {
    "1": Status.INVESTIGATING,
    "2": Status.IDENTIFIED,
    "3": Status.MONITORING,
    "4": Status.RESOLVED,
}
SCHEDULE_STATUSES = {"0": Status.SCHEDULED, "1": Status.IN_PROGRESS, "2": Status.COMPLETED}
_STEPS = {
    Kind.INCIDENT: tuple(INCIDENT_STATUSES.values()),
    Kind.MAINTENANCE: tuple(SCHEDULE_STATUSES.values()),
}
_STATUSES = {Kind.INCIDENT: INCIDENT_STATUSES, Kind.MAINTENANCE: SCHEDULE_STATUSES}
GROUPS = {2: "components/groups", 3: "component-groups"}


class CachetSource:
    """`has_token`: the subscribers of Cachet 2 can be read too."""

    def __init__(
        self, url: str, fetcher: Fetcher, report: ImportReport, *, zone: tzinfo = UTC, has_token: bool = False
    ):
        self.name = urlsplit(url).netloc
        self.report = report
        self.expected = 0
        self._root = url.rstrip("/")
        self._fetcher = fetcher
        self._zone = zone
        self._has_token = has_token
        self._version = 0

    def page(self) -> IncomingPage:
        """Raise SourceError if neither API is found."""
        self._api()
        self.report.not_imported["metrics, templates, tags, users"] = "not supported"
        return IncomingPage(public_id_for("cachet", self.name), self.name, time_zone=str(self._zone))

    def records(self, is_settled: IsSettled) -> Iterator[Record]:
        yield from self._groups()
        yield from self._components()
        yield from self._maintenances()
        yield from self._incidents()
        yield from self._subscribers()

    def _groups(self) -> Iterator[IncomingGroup]:
        rows = self._rows(GROUPS[self._version], "groups", "group")
        yield from parse_each(rows, "groups", self._group)

    def _components(self) -> Iterator[IncomingComponent]:
        rows = self._rows("components", "components", "component", include="group")
        yield from parse_each(rows, "components", self._component)

    def _maintenances(self) -> Iterator[IncomingIncident]:
        rows = self._rows("schedules", "maintenances", "schedule", include="components,updates")
        yield from parse_each(rows, "maintenances", self._schedule)

    def _incidents(self) -> Iterator[IncomingIncident]:
        rows = self._rows("incidents", "incidents", "incident", include="components,updates")
        yield from parse_each(rows, "incidents", self._incident)

    def _subscribers(self) -> Iterator[IncomingSubscriber]:
        if self._version == 3 or not self._has_token:
            self.report.not_imported["subscribers"] = "only Cachet 2 provides them, with --token"
            return
        rows = self._rows("subscribers", "subscribers", "subscriber")
        yield from parse_each(rows, "subscribers", self._subscriber)

    def _api(self) -> str:
        """Return the address of the API, and detect the version on the first call."""
        for version, path in ((2, "/api/v1"), (3, "/api")):
            if self._version in (0, version):
                if self._version:
                    return self._root + path
                try:
                    document = self._fetcher.json(f"{self._root}{path}/components?per_page=1")
                except (NotFound, Unreadable):
                    continue
                if isinstance(document, dict) and "data" in document:
                    self._version = version
                    return self._root + path
        raise SourceError(f"{self._root} is not a Cachet installation: neither /api/v1 nor /api has components")

    def _group(self, row: SourceObject) -> IncomingGroup:
        return IncomingGroup(
            public_id=self._public_id_of("group", row),
            name=row.line("name") or "(no name)",
            position=row.number("order") + 1,
            created_at=row.moment("created_at"),
            updated_at=row.moment("updated_at"),
        )

    def _component(self, row: SourceObject) -> IncomingComponent:
        group = row.text("group_id")
        return IncomingComponent(
            public_id=self._public_id_of("component", row),
            name=row.line("name") or "(no name)",
            status=_component_status(row),
            position=row.number("order") + 1,
            group=public_id_for("cachet", self.name, "group", group) if group not in ("", "0") else "",
            description=row.text("description"),
            created_at=row.moment("created_at"),
            updated_at=row.moment("updated_at"),
        )

    def _incident(self, row: SourceObject) -> IncomingIncident:
        """The text of the incident becomes its first update."""
        began = row.required_moment("occurred_at", "created_at")
        updates = self._updates(row, Kind.INCIDENT)
        status = row.choice("status", _STEPS[Kind.INCIDENT], Status.INVESTIGATING, known=INCIDENT_STATUSES)
        opening = Status.INVESTIGATING if updates else status
        first = self._first(row, "incident", opening, began)
        updates = self._until_resolved(row, [first, *updates], status)
        return IncomingIncident(
            public_id=self._public_id_of("incident", row),
            title=row.line("name") or "(no title)",
            status=updates[-1].status,
            updates=tuple(updates),
            started_at=began,
            named=self._named(row),
            created_at=row.moment("created_at"),
            updated_at=row.moment("updated_at"),
        )

    def _until_resolved(self, row: SourceObject, updates: list[IncomingUpdate], status: str) -> list[IncomingUpdate]:
        """Add a final update if the incident is resolved, but no update says so: at its last change."""
        if status != Status.RESOLVED or updates[-1].status == Status.RESOLVED:
            return updates
        at = max(row.moment("updated_at") or updates[-1].display_at, updates[-1].display_at)
        public_id = public_id_for("cachet", self.name, "resolved", row.required("id"))
        return [*updates, IncomingUpdate(public_id, Status.RESOLVED, "", at)]

    def _schedule(self, row: SourceObject) -> IncomingIncident:
        status = row.choice("status", _STEPS[Kind.MAINTENANCE], Status.SCHEDULED, known=SCHEDULE_STATUSES)
        start = row.required_moment("scheduled_at")
        end = row.moment("completed_at")
        created_at = min(row.moment("created_at") or start, start)
        updates = [self._first(row, "schedule", Status.SCHEDULED, created_at), *self._updates(row, Kind.MAINTENANCE)]
        if status != Status.SCHEDULED and all(update.status == Status.SCHEDULED for update in updates):
            public_id = public_id_for("cachet", self.name, "step", row.required("id"))
            updates.append(IncomingUpdate(public_id, status, "", max(end or start, updates[-1].display_at)))
        return IncomingIncident(
            public_id=self._public_id_of("schedule", row),
            title=row.line("name") or "(no title)",
            status=status,
            updates=tuple(updates),
            kind=Kind.MAINTENANCE,
            impact=Impact.MAINTENANCE,
            created_at=row.moment("created_at"),
            updated_at=row.moment("updated_at"),
            resolved_at=end if status == Status.COMPLETED else None,
            scheduled_for=start,
            scheduled_until=end,
            named=self._named(row),
        )

    def _first(self, row: SourceObject, kind: str, status: str, at: datetime) -> IncomingUpdate:
        public_id = public_id_for("cachet", self.name, kind, row.required("id"), "text")
        body = as_markdown(row.text("message"))
        return IncomingUpdate(public_id, status, body, at, created_at=row.moment("created_at"))

    def _updates(self, row: SourceObject, kind: Kind) -> list[IncomingUpdate]:
        updates = parse_each(self._update_rows(row, kind), "updates", lambda update: self._update(update, kind))
        return sorted(updates, key=lambda update: update.display_at)

    def _update(self, row: SourceObject, kind: Kind) -> IncomingUpdate:
        statuses = _STEPS[kind]
        # The updates of a schedule have no status.
        status: str = statuses[0]
        if row.text("status"):
            status = row.choice("status", statuses, status, known=_STATUSES[kind])
        at = row.required_moment("created_at")
        public_id = public_id_for("cachet", self.name, "update", kind, row.required("id"))
        return IncomingUpdate(public_id, status, as_markdown(row.text("message")), at, created_at=at)

    def _update_rows(self, row: SourceObject, kind: Kind) -> Iterator[SourceObject]:
        """Return the updates. Before 2.4 they have a list of their own."""
        if self._version == 2 and kind == Kind.INCIDENT and "updates" not in row.raw:
            return self._rows(f"incidents/{row.required('id')}/updates", "updates", f"{row.name}, update")
        return row.objects("updates", "update")

    def _named(self, row: SourceObject) -> tuple[IncomingChange, ...]:
        """Return the affected components. Their statuses are the present ones, so they are not imported."""
        listed = [(item.text("id"), item.line("name")) for item in row.objects("components", "component")]
        single = row.text("component_id")
        if not listed and single not in ("", "0"):
            listed = [(single, f"Component {single}")]
        return tuple(
            IncomingChange(self._public_id("component", number), ComponentStatus.OPERATIONAL, name=name)
            for number, name in listed
        )

    def _subscriber(self, row: SourceObject) -> IncomingSubscriber:
        confirmed = row.moment("verified_at") is not None
        return IncomingSubscriber(
            public_id=self._public_id_of("subscriber", row),
            channel=Channel.EMAIL,
            state=SubscriberState.ACTIVE if confirmed else SubscriberState.PENDING,
            email=row.required("email"),
            created_at=row.moment("created_at"),
        )

    def _public_id_of(self, kind: str, row: SourceObject) -> str:
        return self._public_id(kind, row.required("id"))

    def _public_id(self, kind: str, number: str) -> str:
        return public_id_for("cachet", self.name, kind, number)

    def _rows(self, path: str, plural: str, kind: str, *, include: str = "") -> Iterator[SourceObject]:
        """Yield the objects of a list, page by page, in the format of Cachet 2."""
        for number in range(1, MOST_PAGES):
            query = f"per_page={PER_PAGE}&page={number}" + (f"&include={include}" if include else "")
            try:
                document = self._fetcher.json(f"{self._api()}/{path}?{query}")
            except (NotFound, Forbidden) as error:
                self.report.note(plural, f"could not be read: {error}")
                return
            except SourceError as error:
                self.report.skip(plural, f"page {number} of {path}", str(error))
                return
            rows = document.get("data") if isinstance(document, dict) else None
            if not isinstance(rows, list) or not rows:
                return
            included = related(document)
            yield from each((plain(row, included) for row in rows), plural, kind, self.report, zone=self._zone)
            if len(rows) < PER_PAGE and not has_next(document):
                return


def _component_status(row: SourceObject) -> str:
    return row.choice("status", ComponentStatus.values, ComponentStatus.DEGRADED_PERFORMANCE, known=COMPONENT_STATUSES)
