"""Format service level reports: pages, charts and CSV files use one `ServiceLevelReport` per component."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal

from django.http import HttpResponse
from django.utils.safestring import SafeString

from incidents.models import Component, Page
from incidents.reporting.periods import Period
from incidents.reporting.service_level_data import ServiceLevelData, service_reports
from incidents.reporting.service_levels import DayUse, ServiceLevelResult
from incidents.reporting.status_history import page_known_since
from incidents.reporting.uptime import Weights, weights_text
from incidents.text.wording import machine_time
from incidents.visibility import Viewer
from statuspage.reporting.charts import ChartPoint, budget_chart

UrlOf = Callable[..., str]
# The component status whose color a result has.
TONES = {
    ServiceLevelResult.MET: "operational",
    ServiceLevelResult.WITHIN_BUDGET: "operational",
    ServiceLevelResult.MISSED: "major_outage",
    ServiceLevelResult.NO_TARGET: "none",
    ServiceLevelResult.NO_DATA: "none",
}
COLUMNS = (
    *("component_id", "component", "period", "time_zone", "from", "until", "counted_until"),
    *("target_percent", "achieved_percent", "known_minutes", "down_minutes"),
    *("budget_minutes", "used_minutes", "left_minutes", "incidents", "result"),
    *("weight_major_outage", "weight_partial_outage", "weight_degraded_performance"),
)


@dataclass(frozen=True)
class ServiceLevelTargetRow:
    """`set_later` is the day on which it was set, if it applied before."""

    percent: str
    valid_from: date
    valid_until: date | None
    set_later: date | None


@dataclass(frozen=True)
class ServiceLevelReport:
    """The values of a report as text, empty if there is none: percentages and weighted minutes.

    `down` is the downtime of the whole period, `used` the part of it in time with a target.
    """

    report: ServiceLevelData
    result: str
    tone: str
    targets: list[ServiceLevelTargetRow]
    achieved: str
    budget: str
    used: str
    down: str
    left: str
    overspent: str
    known: str
    days: list[DayUse]

    @property
    def component(self) -> Component:
        return self.report.component

    @property
    def target(self) -> str:
        """`99.9`, or `99.9, then 99.95` if it changed in the period."""
        return ", then ".join(target.percent for target in self.targets)


@dataclass(frozen=True)
class ReportSpan:
    """The period of a report and its neighbors at `now`.

    `next` is None if it has not begun, `previous` if it is before all history.
    """

    period: Period
    zone: tzinfo
    now: datetime
    known_since: datetime

    @property
    def end(self) -> datetime:
        return self.period.window(self.zone)[1]

    @property
    def as_of(self) -> datetime | None:
        """The end of the data while the period is running."""
        return self.now if self.now < self.end else None

    @property
    def previous(self) -> Period | None:
        return self.period.previous if self.period.window(self.zone)[0] > self.known_since else None

    @property
    def next(self) -> Period | None:
        return None if self.as_of else self.period.next

    @property
    def others(self) -> list[Period]:
        """The quarter of a month, or the months of a quarter."""
        if self.period.length == 1:
            return [self.period.quarter]
        return [month for month in self.period.months() if month.window(self.zone)[0] <= self.now]


def span(page: Page, code: str, *, now: datetime) -> ReportSpan | None:
    """Return the span for `code`, like 2026-10 or 2026-Q4, or the current month. None if invalid or not begun."""
    period = Period.parse(code) if code else Period.month_at(now, page.zone)
    if period is None or period.window(page.zone)[0] > now:
        return None
    return ReportSpan(period, page.zone, now, page_known_since(page) or now)


def service_level_reports(
    page: Page, components: Sequence[Component], period: Period, *, viewer: Viewer, now: datetime
) -> list[ServiceLevelReport]:
    """Return a report for each of `components`. Four queries."""
    return [_sheet(report, page) for report in service_reports(page, components, period, viewer=viewer, now=now)]


def plain(number: Decimal) -> str:
    """Return the number without trailing zeros or exponent: `99.95`, `100`."""
    return f"{number.normalize():f}"


def as_csv(page: Page, shown: Sequence[ServiceLevelReport]) -> str:
    """Return a CSV file with one line per report, with the numbers of the page (RFC 4180)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_row(page, sheet) for sheet in shown)
    return text.getvalue()


def list_context(
    page: Page, around: ReportSpan, shown: Sequence[ServiceLevelReport], *, url_of: UrlOf
) -> dict[str, object]:
    """Return the context of the list. `url_of` builds URLs that console and public pages both have."""
    code = around.period.code
    return {
        "page": page,
        "span": around,
        "rows": [(report, url_of("report", report.component.public_id, code)) for report in shown],
        "weights": weights_text(Weights.for_page(page)),
        "csv_url": f"{url_of('reports_csv')}?period={code}",
    }


def report_context(page: Page, around: ReportSpan, sheet: ServiceLevelReport, *, url_of: UrlOf) -> dict[str, object]:
    component = sheet.component.public_id
    incidents = sheet.report.incidents
    return {
        "page": page,
        "span": around,
        "sheet": sheet,
        "chart": chart(sheet, page),
        "weights": weights_text(Weights.for_page(page)),
        "base_url": url_of("report", component, "-").removesuffix("-"),
        "csv_url": url_of("report_csv", component, around.period.code),
        "incidents": [(incident, url_of("incident", incident.public_id)) for incident in incidents],
    }


def csv_file(page: Page, shown: Sequence[ServiceLevelReport], *, name: str) -> HttpResponse:
    response = HttpResponse(as_csv(page, shown), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="service-levels-{name}.csv"'
    return response


def chart(sheet: ServiceLevelReport, page: Page) -> SafeString | None:
    """Return the chart of the remaining budget; None without a target or without data."""
    level = sheet.report.level
    if level.budget_minutes is None or not level.points:
        return None
    length = level.end - level.start
    budget = float(level.budget_minutes)
    points = [ChartPoint((point.at - level.start) / length, budget - float(point.used) / 60) for point in level.points]
    period = sheet.report.period
    return budget_chart(
        f"budget-{sheet.component.public_id}",
        f"Error budget in {period.label}",
        _text_alternative(sheet, page),
        budget=budget,
        points=points,
        ends=(f"{period.first:%b} {period.first.day}", f"{period.last:%b} {period.last.day}"),
        unit=lambda value: f"{value:g} min",
    )


def _text_alternative(sheet: ServiceLevelReport, page: Page) -> str:
    days = [f"{day.date:%b} {day.date.day}: {day.used} used, {day.left} left" for day in sheet.days]
    spent = f" Day by day: {'; '.join(days)}." if days else " No downtime was counted."
    return f"Of {sheet.budget} minutes, {sheet.used} are used and {sheet.left} left.{spent}"


def _sheet(report: ServiceLevelData, page: Page) -> ServiceLevelReport:
    level = report.level
    left = level.left_minutes
    return ServiceLevelReport(
        report=report,
        result=level.result.value,
        tone=TONES[level.result],
        targets=_targets(report, page),
        achieved=_percent(level.achieved),
        budget=_text(level.budget_minutes),
        used="" if level.budget is None else _text(level.used_minutes),
        down="" if level.achieved is None else _text(level.down_minutes),
        left=_text(left),
        overspent=_text(-left) if left is not None and left < 0 else "",
        known=_text(level.known_minutes),
        days=level.days_that_used_budget(report.period, page.zone),
    )


def _percent(achieved: Decimal | None) -> str:
    return "" if achieved is None else plain(achieved)


def _text(number: Decimal | None) -> str:
    return "" if number is None else f"{number}"


def _targets(report: ServiceLevelData, page: Page) -> list[ServiceLevelTargetRow]:
    targets = []
    for target in report.targets:
        set_on = target.created_at.astimezone(page.zone).date()
        later = set_on if set_on > target.valid_from else None
        targets.append(ServiceLevelTargetRow(plain(target.percent), target.valid_from, target.valid_until, later))
    return targets


def _row(page: Page, sheet: ServiceLevelReport) -> list[str | int]:
    level, period = sheet.report.level, sheet.report.period
    weights = (level.weights.major_outage, level.weights.partial_outage, level.weights.degraded_performance)
    return [
        sheet.component.public_id,
        _escape_formula(sheet.component.full_name),
        period.code,
        page.time_zone,
        machine_time(level.start),
        machine_time(level.end),
        machine_time(level.until),
        sheet.target,
        sheet.achieved,
        sheet.known,
        sheet.down,
        sheet.budget,
        sheet.used,
        sheet.left,
        len(sheet.report.incidents),
        sheet.result,
        *map(plain, weights),
    ]


def _escape_formula(text: str) -> str:
    """Mark a text that a spreadsheet would run as a formula as text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
