"""The analytics page as staff and, if the page says so, visitors read it: twelve months at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.safestring import SafeString

from incidents.models import Page
from incidents.reporting.periods import Period, months_later
from incidents.reporting.response_time_data import incident_times
from incidents.reporting.response_times import Figure, Measure, MonthFigures, by_month
from incidents.text.wording import short_duration
from incidents.visibility import Viewer
from statuspage.reporting.charts import Column, spread_chart

MONTHS = 12
WORDS = {
    Measure.ACKNOWLEDGE: (
        "Time to acknowledge",
        "From the start of the impact to the first update. Counted where that start is known from elsewhere.",
    ),
    Measure.FIX: (
        "Time to fix",
        "From the start of the impact to the last time that the incident became “Monitoring”.",
    ),
    Measure.RESOLVE: ("Time to resolve", "From the start of the impact to the resolution."),
}


@dataclass(frozen=True)
class ResponseTimeSection:
    """One measure: the same numbers as a chart (months from left to right) and as `months`, newest first."""

    key: str
    title: str
    definition: str
    chart: SafeString
    months: list[MonthFigures]

    @property
    def has_impacts(self) -> bool:
        return any(month.by_impact for month in self.months)


@dataclass(frozen=True)
class Analytics:
    """`newer` and `older`: numbers of the neighbouring pages, None at either end."""

    sections: list[ResponseTimeSection]
    first: Period
    last: Period
    this_month: Period
    incidents: int
    newer: int | None
    older: int | None


def analytics(page: Page, number: str, *, viewer: Viewer, now: datetime) -> Analytics | None:
    """Months of the page's zone, counted back from the current one. None if there is no such page. Four queries."""
    this_month = Period.month_at(now, page.zone)
    began = page.incidents.incidents().visible_to(viewer).first_start() or now
    count = max(1, -(-(_months_between(Period.month_at(began, page.zone), this_month) + 1) // MONTHS))
    if not number.isdecimal() or len(number) > 5 or not 1 <= int(number) <= count:
        return None
    place = int(number)
    oldest = months_later(this_month.first, 1 - place * MONTHS)
    months = [Period(months_later(oldest, n)) for n in range(MONTHS)]
    found = incident_times(page, months, viewer=viewer)
    return Analytics(
        sections=[_section(measure, by_month(found, months, measure)) for measure in Measure],
        first=months[0],
        last=months[-1],
        this_month=this_month,
        incidents=len(found),
        newer=place - 1 if place > 1 else None,
        older=place + 1 if place < count else None,
    )


def _section(measure: Measure, months: list[MonthFigures]) -> ResponseTimeSection:
    title, definition = WORDS[measure]
    columns = [
        Column(
            f"{month.month.first:%b}", _note(month.total), _minutes(month.total.median), _minutes(month.total.ninetieth)
        )
        for month in months
    ]
    chart = spread_chart(measure.value, title, _in_words(months), columns, unit=lambda value: _text(value))
    return ResponseTimeSection(measure.value, title, definition, chart, months[::-1])


def _in_words(months: list[MonthFigures]) -> str:
    told = [
        f"{month.month.label}: median {short_duration(total.median)},"
        f" 90th percentile {short_duration(total.ninetieth)}, {total.counted} of {total.incidents} counted."
        for month in months
        if (total := month.total).median is not None and total.ninetieth is not None
    ]
    return " ".join(told) or "No incident of these months has the times that this needs."


def _note(total: Figure) -> str:
    return str(total.counted) if total.incidents else "–"


def _minutes(duration: timedelta | None) -> float | None:
    return None if duration is None else duration / timedelta(minutes=1)


def _text(minutes: float) -> str:
    return short_duration(timedelta(minutes=minutes)) if minutes in (0,) or minutes >= 1 else f"{minutes * 60:.0f} s"


def _months_between(earlier: Period, later: Period) -> int:
    return (later.first.year - earlier.first.year) * 12 + later.first.month - earlier.first.month
