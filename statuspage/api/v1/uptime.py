from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from ninja import Query
from pydantic import BaseModel, Field

from incidents import clock
from incidents.models import AffectedComponent, Component, Page, StatusInterval
from incidents.models.states import ComponentStatus
from incidents.reporting import uptime
from incidents.reporting.uptime import Totals, Weights
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import component_of, group_of, incidents_of, serializer_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.base import LooseMoment, ResponseModel


class UptimeOut(ResponseModel):
    """`uptime_percentage` is null if there is no history. Outages are in seconds."""

    range_start: str
    range_end: str
    uptime_percentage: float | None
    major_outage: int
    partial_outage: int
    warnings: list[str]
    id: str
    name: str


class EventRef(ResponseModel):
    id: str


class RelatedIncidents(ResponseModel):
    incidents: list[EventRef]


class ComponentUptimeOut(UptimeOut):
    related_events: RelatedIncidents | None


class GroupRelatedIncidents(RelatedIncidents):
    component_id: str


class GroupUptimeOut(UptimeOut):
    related_events: list[GroupRelatedIncidents] | None


MAX_RANGE = timedelta(days=184)
DEFAULT_RANGE = timedelta(days=30)


class UptimeQuery(BaseModel):
    """Times without a zone are in the page's time zone."""

    start: Annotated[LooseMoment | None, Field(description="Default: 30 days before the end")] = None
    end: Annotated[LooseMoment | None, Field(description="Default: now")] = None
    skip_related_events: bool = False


RangeQuery = Query[UptimeQuery]


@dataclass(frozen=True)
class Window:
    start: datetime
    end: datetime
    warnings: list[str]


@endpoint("GET", "/pages/{page_id}/components/{component_id}/uptime", Scope.READ, ComponentUptimeOut)
def component_uptime(request: ApiRequest, page_id: str, component_id: str, query: RangeQuery) -> ComponentUptimeOut:
    """Get the uptime of a component over at most 184 days."""
    page = page_of(request, page_id)
    component = component_of(page, component_id)
    window = _window(page, query)
    totals = _totals(page, [component], window)[component.pk]
    related = None
    if not query.skip_related_events:
        related = RelatedIncidents(incidents=_related(page, [component], window)[component.pk])
    return ComponentUptimeOut(
        **_common(page, window, [totals], totals.percentage(Weights.for_page(page))),
        id=component.public_id,
        name=component.name,
        related_events=related,
    )


@endpoint("GET", "/pages/{page_id}/component-groups/{group_id}/uptime", Scope.READ, GroupUptimeOut)
def group_uptime(request: ApiRequest, page_id: str, group_id: str, query: RangeQuery) -> GroupUptimeOut:
    """Get the uptime of a group: the mean of its components, and the sum of their outages."""
    page = page_of(request, page_id)
    group = group_of(page, group_id)
    members = [component for component in group.components.all() if component.archived_at is None]
    window = _window(page, query)
    totals = _totals(page, members, window)
    related = None
    if not query.skip_related_events:
        by_component = _related(page, members, window)
        related = [
            GroupRelatedIncidents(component_id=member.public_id, incidents=by_component[member.pk])
            for member in members
        ]
    weights = Weights.for_page(page)
    percentage = uptime.mean(total.percentage(weights) for total in totals.values())
    common = _common(page, window, list(totals.values()), percentage)
    return GroupUptimeOut(**common, id=group.public_id, name=group.name, related_events=related)


def _common(page: Page, window: Window, totals: Sequence[Totals], percentage: Decimal | None) -> dict[str, Any]:
    serializer = serializer_of(page)
    return {
        "range_start": serializer.time(window.start),
        "range_end": serializer.time(window.end),
        "uptime_percentage": percentage,
        "major_outage": _seconds(totals, ComponentStatus.MAJOR_OUTAGE),
        "partial_outage": _seconds(totals, ComponentStatus.PARTIAL_OUTAGE),
        "warnings": window.warnings,
    }


def _window(page: Page, query: UptimeQuery) -> Window:
    """Return the range of the query. As Statuspage does, correct an impossible range and add a warning."""
    now, warnings = clock.now(), []
    end = _in_utc(page, query.end) or now
    if end > now:
        end = now
        warnings.append("End date was adjusted to today. See range_end field in response for end date used.")
    start = _in_utc(page, query.start) or end - DEFAULT_RANGE
    if start >= end:
        start = end - DEFAULT_RANGE
        warnings.append("Start date was not before the end date. See range_start field in response for the one used.")
    if end - start > MAX_RANGE:
        start = end - MAX_RANGE
        warnings.append("Start date was adjusted to 184 days before the end. See range_start field in response.")
    return Window(start, end, warnings)


def _in_utc(page: Page, moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=page.zone)).astimezone(UTC)


def _totals(page: Page, components: Sequence[Component], window: Window) -> dict[int, Totals]:
    rows = StatusInterval.objects.as_corrected().covering(components, window.start, window.end).spans()
    spans = uptime.by_component(rows)
    return {
        component.pk: uptime.totals(spans.get(component.pk, []), window.start, window.end, until=window.end)
        for component in components
    }


def _related(page: Page, components: Sequence[Component], window: Window) -> dict[int, list[EventRef]]:
    incidents = incidents_of(page).ongoing_between(window.start, window.end)
    public_ids = dict(incidents.values_list("pk", "public_id"))
    related: dict[int, list[EventRef]] = {component.pk: [] for component in components}
    for component, incident in sorted(AffectedComponent.objects.pairs(incidents, components)):
        related[component].append(EventRef(id=public_ids[incident]))
    return related


def _seconds(totals: Iterable[Totals], status: str) -> int:
    return sum(int(total.lasted.get(status, timedelta()).total_seconds()) for total in totals)
