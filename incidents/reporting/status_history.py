"""Read status histories from the database for `uptime`, with one query for all components."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Min, OuterRef, Subquery

from incidents.models import Component, EventKind, Page, StatusInterval
from incidents.reporting import uptime
from incidents.reporting.uptime import Interval, Weights

Histories = dict[int, list[Interval]]


def read_histories(
    components: Collection[Component],
    start: datetime,
    end: datetime,
    *,
    zone: ZoneInfo,
    as_reported: datetime | None = None,
) -> Histories:
    """Return the intervals that overlap the time from `start` to `end`, by the primary key of the component.

    They include all corrections, or only those made before `as_reported`. Time before the start date of a component
    is left out.
    """
    rows = StatusInterval.objects.as_reported(as_reported) if as_reported else StatusInterval.objects.as_corrected()
    intervals = uptime.by_component(rows.covering(components, start, end).spans())
    return {
        component.pk: _since_start_date(component, intervals.get(component.pk, []), zone) for component in components
    }


def known_since(components: Collection[Component], *, zone: ZoneInfo) -> dict[int, datetime]:
    """Return when the history of each component begins, by its primary key. One query."""
    rows = Component.objects.filter(pk__in=[component.pk for component in components])
    first: dict[int, datetime] = dict(rows.values_list("pk", _first_start()))
    started = {c.pk: uptime.midnight(c.start_date, zone) for c in components if c.start_date}
    return {key: max(at, started.get(key, at)) for key, at in first.items() if at}


def page_known_since(page: Page) -> datetime | None:
    """Return when the history of the oldest component begins. One query."""
    first: datetime | None = page.components.aggregate(first=Min(_first_start()))["first"]
    return first


def weights_at(page: Page, at: datetime) -> Weights:
    """Return the weights of the page at `at`: the old values of the first later change, or the present ones."""
    change = page.audit_entries.next_after(at, verb=EventKind.UPTIME_WEIGHTS)
    return Weights.from_json(change.details["old"]) if change else Weights.for_page(page)


def _first_start() -> Subquery:
    live = StatusInterval.objects.as_corrected().filter(component=OuterRef("pk")).order_by("started_at")
    return Subquery(live.values("started_at")[:1])


def _since_start_date(component: Component, intervals: list[Interval], zone: ZoneInfo) -> list[Interval]:
    if component.start_date is None:
        return intervals
    return uptime.since(intervals, uptime.midnight(component.start_date, zone))
