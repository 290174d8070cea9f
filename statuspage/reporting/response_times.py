"""The response time page of the console and, if enabled, of the public page: twelve months at a time."""

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
DEFINITIONS = {
    Measure.ACKNOWLEDGE: (
        "Time to acknowledge",
        "From the start of the impact to the first update. Counted if the start is known from another source.",
    ),
    Measure.FIX: (
        "Time to fix",
        "From the start of the impact to the last change to “Monitoring”.",
    ),
    Measure.RESOLVE: ("Time to resolve", "From the start of the impact to the resolution."),
}


@dataclass(frozen=True)
class ResponseTimeSection:
    """A measure as a chart, with months from left to right, and as `months`, newest first."""

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
    """`newer` and `older` are the numbers of the neighboring pages, None at the ends."""

    sections: list[ResponseTimeSection]
    first: Period
    last: Period
    this_month: Period
    incidents: int
    newer: int | None
    older: int | None


def analytics(page: Page, number: str, *, viewer: Viewer, now: datetime) -> Analytics | None:
    """Return the months of page `number`, counted back from now. None for an invalid number. Four queries."""
    this_month = Period.month_at(now, page.zone)
    began = page.incidents.incidents().visible_to(viewer).first_start() or now
    count = max(1, -(-(_months_between(Period.month_at(began, page.zone), this_month) + 1) // MONTHS))
    if not number.isdecimal() or len(number) > 5 or not 1 <= int(number) <= count:
        return None
    page_number = int(number)
    oldest = months_later(this_month.first, 1 - page_number * MONTHS)
    months = [Period(months_later(oldest, n)) for n in range(MONTHS)]
    incidents = incident_times(page, months, viewer=viewer)
    return Analytics(
        sections=[_section(measure, by_month(incidents, months, measure)) for measure in Measure],
        first=months[0],
        last=months[-1],
        this_month=this_month,
        incidents=len(incidents),
        newer=page_number - 1 if page_number > 1 else None,
        older=page_number + 1 if page_number < count else None,
    )


def _section(measure: Measure, months: list[MonthFigures]) -> ResponseTimeSection:
    title, definition = DEFINITIONS[measure]
    columns = [
        Column(
            f"{month.month.first:%b}", _note(month.total), _minutes(month.total.median), _minutes(month.total.ninetieth)
        )
        for month in months
    ]
    chart = spread_chart(measure.value, title, _text_alternative(months), columns, unit=lambda value: _text(value))
    return ResponseTimeSection(measure.value, title, definition, chart, months[::-1])


def _text_alternative(months: list[MonthFigures]) -> str:
    sentences = [
        f"{month.month.label}: median {short_duration(total.median)},"
        f" 90th percentile {short_duration(total.ninetieth)}, {total.counted} of {total.incidents} counted."
        for month in months
        if (total := month.total).median is not None and total.ninetieth is not None
    ]
    return " ".join(sentences) or "No incident in these months has the required times."


def _note(total: Figure) -> str:
    return str(total.counted) if total.incidents else "–"


def _minutes(duration: timedelta | None) -> float | None:
    return None if duration is None else duration / timedelta(minutes=1)


def _text(minutes: float) -> str:
    return short_duration(timedelta(minutes=minutes)) if minutes in (0,) or minutes >= 1 else f"{minutes * 60:.0f} s"


def _months_between(earlier: Period, later: Period) -> int:
    return (later.first.year - earlier.first.year) * 12 + later.first.month - earlier.first.month
