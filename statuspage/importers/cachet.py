"""Cachet: the API v1 of 2.x, and the API of 3.x, which says the same in other words (JSON:API).

Cachet's ids are numbers: codes here follow from them and from the address. Its times have no zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from urllib.parse import urlsplit

from incidents.models.states import ComponentStatus, Impact, Kind, Status
from incidents.transfer.records import (
    IncomingChange,
    IncomingComponent,
    IncomingGroup,
    IncomingIncident,
    IncomingMetric,
    IncomingPage,
    IncomingTemplate,
    IncomingUpdate,
    public_id_for,
)
from statuspage.importers.atlassian.public_source import readable
from statuspage.importers.cachet_json import has_next, plain, related
from statuspage.importers.errors import Forbidden, NotThere, SourceError, Unreadable
from statuspage.importers.fetching import Fetcher
from statuspage.importers.fields import BadObject, SourceObject, each
from statuspage.importers.html_to_markdown import as_markdown
from statuspage.importers.report import Report
from statuspage.importers.run import IsSettled
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
_WORDS = {Kind.INCIDENT: INCIDENT_STATUSES, Kind.MAINTENANCE: SCHEDULE_STATUSES}
GROUPS = {2: "components/groups", 3: "component-groups"}


class CachetSource:
    """`token` lets the subscribers of 2.x be read, too."""

    def __init__(self, url: str, fetcher: Fetcher, report: Report, *, zone: tzinfo = UTC, has_token: bool = False):
        self.name = urlsplit(url).netloc
        self.report = report
        self.expected = 0
        self._root = url.rstrip("/")
        self._fetcher = fetcher
        self._zone = zone
        self._has_token = has_token
        self._version = 0

    def page(self) -> IncomingPage:
        """SourceError if neither API answers."""
        self._api()
        return IncomingPage(public_id_for("cachet", self.name), self.name, time_zone=str(self._zone))

    def groups(self) -> Iterator[IncomingGroup]:
        rows = self._rows(GROUPS[self._version], "groups", "group")
        yield from readable(rows, "groups", self._group, self.report)

    def components(self) -> Iterator[IncomingComponent]:
        rows = self._rows("components", "components", "component", include="group")
        yield from readable(rows, "components", self._component, self.report)

    def incidents(self, is_settled: IsSettled) -> Iterator[IncomingIncident]:
        planned = self._rows("schedules", "maintenances", "schedule", include="components,updates")
        yield from readable(planned, "maintenances", self._schedule, self.report)
        rows = self._rows("incidents", "incidents", "incident", include="components,updates")
        yield from readable(rows, "incidents", self._incident, self.report)

    def templates(self) -> Iterable[IncomingTemplate]:
        return ()

    def metrics(self) -> Iterable[IncomingMetric]:
        return ()

    def subscribers(self) -> Iterator[IncomingSubscriber]:
        self.report.leave("metrics, templates, tags, users", "they have no place here yet")
        if self._version == 3 or not self._has_token:
            self.report.leave("subscribers", "Cachet 2 gives them with --token only, Cachet 3 not at all")
            return
        rows = self._rows("subscribers", "subscribers", "subscriber")
        yield from readable(rows, "subscribers", self._subscriber, self.report)

    def _api(self) -> str:
        """2.x lives at /api/v1, 3.x at /api; asked once."""
        for version, path in ((2, "/api/v1"), (3, "/api")):
            if self._version in (0, version):
                if self._version:
                    return self._root + path
                try:
                    found = self._fetcher.json(f"{self._root}{path}/components?per_page=1")
                except (NotThere, Unreadable):
                    continue
                if isinstance(found, dict) and "data" in found:
                    self._version = version
                    return self._root + path
        raise SourceError(f"{self._root} does not look like a Cachet: neither /api/v1 nor /api has components")

    def _group(self, row: SourceObject) -> IncomingGroup:
        return IncomingGroup(
            code=self._code("group", row),
            name=row.line("name") or "(no name)",
            position=row.number("order") + 1,
            created_at=row.moment("created_at"),
            updated_at=row.moment("updated_at"),
        )

    def _component(self, row: SourceObject) -> IncomingComponent:
        group = row.text("group_id")
        return IncomingComponent(
            code=self._code("component", row),
            name=row.line("name") or "(no name)",
            status=_component_status(row),
            position=row.number("order") + 1,
            group=public_id_for("cachet", self.name, "group", group) if group not in ("", "0") else "",
            description=row.text("description"),
            created_at=row.moment("created_at"),
            updated_at=row.moment("updated_at"),
        )

    def _incident(self, row: SourceObject) -> IncomingIncident:
        """The incident's own text is its first update; the others follow."""
        began = row.need_moment("occurred_at", "created_at")
        updates = self._updates(row, Kind.INCIDENT)
        status = row.choice("status", _STEPS[Kind.INCIDENT], Status.INVESTIGATING, known=INCIDENT_STATUSES)
        opening = Status.INVESTIGATING if updates else status
        first = self._first(row, "incident", opening, began)
        updates = self._until_resolved(row, [first, *updates], status)
        return IncomingIncident(
            code=self._code("incident", row),
            title=row.line("name") or "(no title)",
            status=updates[-1].status,
            updates=tuple(updates),
            started_at=began,
            named=self._named(row),
            created_at=row.moment("created_at"),
            updated_at=row.moment("updated_at"),
        )

    def _until_resolved(self, row: SourceObject, updates: list[IncomingUpdate], status: str) -> list[IncomingUpdate]:
        """The incident is over, though no update says so: it was when it was last changed."""
        if status != Status.RESOLVED or updates[-1].status == Status.RESOLVED:
            return updates
        at = max(row.moment("updated_at") or updates[-1].display_at, updates[-1].display_at)
        code = public_id_for("cachet", self.name, "resolved", row.need("id"))
        return [*updates, IncomingUpdate(code, Status.RESOLVED, "", at)]

    def _schedule(self, row: SourceObject) -> IncomingIncident:
        status = row.choice("status", _STEPS[Kind.MAINTENANCE], Status.SCHEDULED, known=SCHEDULE_STATUSES)
        start = row.need_moment("scheduled_at")
        end = row.moment("completed_at")
        made = min(row.moment("created_at") or start, start)
        updates = [self._first(row, "schedule", Status.SCHEDULED, made), *self._updates(row, Kind.MAINTENANCE)]
        if status != Status.SCHEDULED and all(one.status == Status.SCHEDULED for one in updates):
            code = public_id_for("cachet", self.name, "step", row.need("id"))
            updates.append(IncomingUpdate(code, status, "", max(end or start, updates[-1].display_at)))
        return IncomingIncident(
            code=self._code("schedule", row),
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

    def _first(self, row: SourceObject, what: str, status: str, at: datetime) -> IncomingUpdate:
        code = public_id_for("cachet", self.name, what, row.need("id"), "text")
        return IncomingUpdate(code, status, as_markdown(row.text("message")), at, created_at=row.moment("created_at"))

    def _updates(self, row: SourceObject, kind: Kind) -> list[IncomingUpdate]:
        found = []
        for one in self._listed_updates(row, kind):
            try:
                found.append(self._update(one, kind))
            except BadObject as error:
                self.report.skip("updates", one.name, str(error))
        return sorted(found, key=lambda one: one.display_at)

    def _update(self, one: SourceObject, kind: Kind) -> IncomingUpdate:
        steps = _STEPS[kind]
        # Those of a schedule have no status of their own.
        status = one.choice("status", steps, steps[0], known=_WORDS[kind]) if one.text("status") else steps[0]
        at = one.need_moment("created_at")
        code = public_id_for("cachet", self.name, "update", kind, one.need("id"))
        return IncomingUpdate(code, status, as_markdown(one.text("message")), at, created_at=at)

    def _listed_updates(self, row: SourceObject, kind: Kind) -> Iterator[SourceObject]:
        """Before 2.4 they are not listed with their incident."""
        if self._version == 2 and kind == Kind.INCIDENT and "updates" not in row.raw:
            return self._rows(f"incidents/{row.need('id')}/updates", "updates", f"{row.name}, update")
        return row.things("updates", "update")

    def _named(self, row: SourceObject) -> tuple[IncomingChange, ...]:
        """Which components it concerns. The status they are listed with is that of now, and says nothing of then."""
        listed = [(one.text("id"), one.line("name")) for one in row.things("components", "component")]
        single = row.text("component_id")
        if not listed and single not in ("", "0"):
            listed = [(single, f"Component {single}")]
        well = ComponentStatus.OPERATIONAL
        return tuple(IncomingChange(self._id("component", number), well, name=name) for number, name in listed)

    def _subscriber(self, row: SourceObject) -> IncomingSubscriber:
        confirmed = row.moment("verified_at") is not None
        return IncomingSubscriber(
            code=self._code("subscriber", row),
            channel=Channel.EMAIL,
            state=SubscriberState.ACTIVE if confirmed else SubscriberState.PENDING,
            email=row.need("email"),
            created_at=row.moment("created_at"),
        )

    def _code(self, what: str, row: SourceObject) -> str:
        return self._id(what, row.need("id"))

    def _id(self, what: str, number: str) -> str:
        return public_id_for("cachet", self.name, what, number)

    def _rows(self, path: str, kind: str, what: str, *, include: str = "") -> Iterator[SourceObject]:
        """Every object of a list, page by page, in the words of 2.x."""
        for number in range(1, MOST_PAGES):
            query = f"per_page={PER_PAGE}&page={number}" + (f"&include={include}" if include else "")
            try:
                document = self._fetcher.json(f"{self._api()}/{path}?{query}")
            except (NotThere, Forbidden) as error:
                self.report.note(kind, f"could not be read: {error}")
                return
            except SourceError as error:
                self.report.skip(kind, f"page {number} of {path}", str(error))
                return
            rows = document.get("data") if isinstance(document, dict) else None
            if not isinstance(rows, list) or not rows:
                return
            included = related(document)
            yield from each((plain(row, included) for row in rows), kind, what, self.report, zone=self._zone)
            if len(rows) < PER_PAGE and not has_next(document):
                return


def _component_status(row: SourceObject) -> str:
    return row.choice("status", ComponentStatus.values, ComponentStatus.DEGRADED_PERFORMANCE, known=COMPONENT_STATUSES)
