"""Uptime on public pages: the bars of the home page, the calendar by month, and the page of a component."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from incidents.models import Component, ComponentGroup, Incident, Page
from incidents.models.states import ComponentStatus
from incidents.reporting import uptime
from incidents.reporting.status_history import Histories, read_histories
from incidents.reporting.uptime import Bars, Interval, Weights
from incidents.text.wording import duration_text
from incidents.visibility import Viewer
from statuspage.public.history import MONTHS_PER_PAGE, months_before, months_between
from statuspage.public.page_state import showcased_components
from statuspage.public.uptime_reads import (
    BAR_DAYS,
    SPANS,
    beginning_of,
    beginnings,
    history_of,
    recent_histories,
    yearly_histories,
)


@dataclass(frozen=True)
class DayRecord:
    """A day of the calendar. `status` is the worst of the day, empty if there is no data."""

    day: uptime.Day
    incidents: list[Incident]

    @property
    def status(self) -> str:
        return self.day.totals.worst or ""

    @property
    def label(self) -> str:
        return ComponentStatus(self.status).label if self.status else "No data"

    @property
    def is_affected(self) -> bool:
        return self.status not in ("", ComponentStatus.OPERATIONAL)

    @property
    def durations(self) -> list[tuple[str, str]]:
        """Return the duration of each status but operational, worst first, as (`major_outage`, `12 minutes`)."""
        lasted = self.day.totals.lasted
        bad = [status for status in reversed(ComponentStatus) if status in lasted and status.value != "operational"]
        return [(status.value, duration_text(lasted[status])) for status in bad]


@dataclass(frozen=True)
class CalendarMonth:
    """`weeks`: lists of seven days from Monday; None for days of other months."""

    first: date
    last: date
    weeks: list[list[DayRecord | None]]
    percentage: Decimal | None


@dataclass(frozen=True)
class UptimeSpan:
    """The last `days` days, today included."""

    days: int
    percentage: Decimal | None


@dataclass(frozen=True)
class ComponentUptime:
    """`known_since` is set only if recording started within the longest span.

    `has_earlier`: whether its history begins before `months`.
    """

    component: Component
    spans: list[UptimeSpan]
    bars: Bars
    months: list[CalendarMonth]
    affected_days: list[DayRecord]
    known_since: datetime | None
    has_earlier: bool
    today: date


@dataclass(frozen=True)
class TableRow:
    """A component, or the mean of a group's members, with one percentage per month."""

    component: Component | None
    group: ComponentGroup | None
    percentages: list[Decimal | None]


@dataclass(frozen=True)
class Calendar:
    """`chosen` is None without components. `newer` and `older`: numbers of the adjacent pages, None at either end."""

    components: list[Component]
    chosen: Component | None
    months: list[CalendarMonth]
    affected_days: list[DayRecord]
    table: list[TableRow]
    number: int
    newer: int | None
    older: int | None


def bars_of(page: Page, components: Collection[Component], *, now: datetime) -> dict[int, Bars]:
    """Return the bars of each component whose uptime is published, by primary key. At most one query."""
    shown = [component for component in components if component.showcase]
    if not shown:
        return {}
    today = now.astimezone(page.zone).date()
    bounds = uptime.day_bounds(_days_before(today, BAR_DAYS), today, page.zone)
    histories = recent_histories(page, shown, now=now)
    weights = Weights.for_page(page)
    return {c.pk: uptime.bars(histories[c.pk], bounds, weights, until=now) for c in shown}


def component_uptime(page: Page, component: Component, *, now: datetime) -> ComponentUptime:
    """Three queries."""
    today = now.astimezone(page.zone).date()
    tomorrow = uptime.midnight(today + timedelta(days=1), page.zone)
    longest = uptime.midnight(_days_before(today, max(SPANS)), page.zone)
    history = history_of(page, component, longest, tomorrow, now=now)
    weights = Weights.for_page(page)
    bounds = uptime.day_bounds(_days_before(today, BAR_DAYS), today, page.zone)
    firsts = [months_before(today.replace(day=1), n) for n in range(MONTHS_PER_PAGE)]
    listed = min(firsts[-1], _days_before(today, BAR_DAYS))
    incidents = _incidents(page, component, uptime.midnight(listed, page.zone), tomorrow)
    began = beginning_of(page, component)
    return ComponentUptime(
        component=component,
        spans=[_span(page, history, weights, days, now=now) for days in SPANS],
        bars=uptime.bars(history, bounds, weights, until=now),
        months=[_month(page, first, history, incidents, weights, now=now) for first in firsts],
        affected_days=_affected_days(_records(page, listed, today, history, incidents, now=now)),
        known_since=began if began and began > longest else None,
        has_earlier=began is not None and began < uptime.midnight(firsts[-1], page.zone),
        today=today,
    )


def spans_of(page: Page, components: Collection[Component], *, now: datetime) -> dict[int, list[UptimeSpan]]:
    """Return the uptime of each component in each of SPANS, by primary key. One query."""
    histories, weights = yearly_histories(page, components, now=now), Weights.for_page(page)
    return {c.pk: [_span(page, histories[c.pk], weights, days, now=now) for days in SPANS] for c in components}


def calendar_page(page: Page, number: int, public_id: str, *, now: datetime) -> Calendar | None:
    """Three months of the page's zone, counted back from the current one. None if there is no such page or component.

    Four queries, however many components: `public_id` says whose days are shown, empty for the first.
    """
    components = showcased_components(page)
    chosen = next((component for component in components if public_id in ("", component.public_id)), None)
    this_month = now.astimezone(page.zone).date().replace(day=1)
    pages = _page_count(page, components, this_month)
    if (public_id and chosen is None) or not 1 <= number <= pages:
        return None
    firsts = [months_before(this_month, (number - 1) * MONTHS_PER_PAGE + n) for n in range(MONTHS_PER_PAGE)]
    start = uptime.midnight(firsts[-1], page.zone)
    end = uptime.midnight(months_before(firsts[0], -1), page.zone)
    weights = Weights.for_page(page)
    histories = (
        recent_histories(page, components, now=now)
        if number == 1
        else read_histories(components, start, end, zone=page.zone)
    )
    months = []
    if chosen:
        incidents = _incidents(page, chosen, start, end)
        months = [_month(page, first, histories[chosen.pk], incidents, weights, now=now) for first in firsts]
    return Calendar(
        components=components,
        chosen=chosen,
        months=months,
        affected_days=_affected_days(component for month in months for week in month.weeks for component in week),
        table=_table(page, components, histories, firsts, weights, now=now),
        number=number,
        newer=number - 1 if number > 1 else None,
        older=number + 1 if number < pages else None,
    )


def _page_count(page: Page, components: list[Component], this_month: date) -> int:
    began = beginnings(page, components).values()
    first = min(began).astimezone(page.zone).date() if began else this_month
    return max(1, -(-(months_between(first, this_month) + 1) // MONTHS_PER_PAGE))


def _incidents(page: Page, component: Component, start: datetime, end: datetime) -> list[Incident]:
    named = page.incidents.visible_to(Viewer.PUBLIC).affecting([component.pk])
    return list(named.ongoing_between(start, end).order_by("started_at", "pk"))


def _span(page: Page, history: list[Interval], weights: Weights, days: int, *, now: datetime) -> UptimeSpan:
    today = now.astimezone(page.zone).date()
    start, end = (uptime.midnight(day, page.zone) for day in (_days_before(today, days), today + timedelta(days=1)))
    return UptimeSpan(days, uptime.totals(history, start, end, until=now).percentage(weights))


def _month(
    page: Page, first: date, history: list[Interval], incidents: list[Incident], weights: Weights, *, now: datetime
) -> CalendarMonth:
    last = months_before(first, -1) - timedelta(days=1)
    records = _records(page, first, last, history, incidents, now=now)
    cells = [*[None] * first.weekday(), *records, *[None] * (6 - last.weekday())]
    whole = uptime.totals(history, records[0].day.start, records[-1].day.end, until=now)
    return CalendarMonth(first, last, [cells[n : n + 7] for n in range(0, len(cells), 7)], whole.percentage(weights))


def _records(
    page: Page, first: date, last: date, history: list[Interval], incidents: list[Incident], *, now: datetime
) -> list[DayRecord]:
    days = uptime.days(history, first, last, page.zone, until=now)
    return [DayRecord(day, [incident for incident in incidents if _touches(incident, day)]) for day in days]


def _touches(incident: Incident, day: uptime.Day) -> bool:
    began = max(incident.started_at, incident.scheduled_for or incident.started_at)
    return began < day.end and (incident.resolved_at is None or incident.resolved_at > day.start)


def _affected_days(records: Iterable[DayRecord | None]) -> list[DayRecord]:
    """Return the days that were not fully operational, newest first."""
    return sorted(
        (record for record in records if record and record.is_affected),
        key=lambda record: record.day.date,
        reverse=True,
    )


def _table(
    page: Page,
    components: list[Component],
    histories: Histories,
    firsts: Sequence[date],
    weights: Weights,
    *,
    now: datetime,
) -> list[TableRow]:
    windows = [[uptime.midnight(day, page.zone) for day in (first, months_before(first, -1))] for first in firsts]
    rows = {
        component.pk: [
            uptime.totals(histories[component.pk], start, end, until=now).percentage(weights) for start, end in windows
        ]
        for component in components
    }
    table = []
    for group, members in groupby(components, key=lambda component: component.group):
        own = [TableRow(component, group, rows[component.pk]) for component in members]
        if group:
            means = [uptime.mean(column) for column in zip(*(row.percentages for row in own), strict=True)]
            table.append(TableRow(None, group, means))
        table += own
    return table


def _days_before(today: date, count: int) -> date:
    """Return the first of `count` days that end with `today`."""
    return today - timedelta(days=count - 1)
