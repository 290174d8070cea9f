"""Reads status histories out of the database for `uptime`, one query for all components."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from incidents import uptime
from incidents.models import Component, StatusInterval
from incidents.uptime import Interval

Histories = dict[int, list[Interval]]


def read_histories(
    components: Collection[Component],
    start: datetime,
    end: datetime,
    *,
    zone: ZoneInfo,
    as_reported: datetime | None = None,
) -> Histories:
    """The intervals that touch the time from `start` to `end`, by the primary key of each of `components`.

    As corrected, or as they were on record at `as_reported`. What lies before a component's start date is left out:
    of that time nothing is claimed.
    """
    rows = StatusInterval.objects.as_reported(as_reported) if as_reported else StatusInterval.objects.as_corrected()
    found = uptime.by_component(rows.covering(components, start, end).spans())
    return {component.pk: _since_start_date(component, found.get(component.pk, []), zone) for component in components}


def _since_start_date(component: Component, intervals: list[Interval], zone: ZoneInfo) -> list[Interval]:
    if component.start_date is None:
        return intervals
    return uptime.since(intervals, uptime.midnight(component.start_date, zone))
