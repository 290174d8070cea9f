"""Service level reports as they are read: one `Sheet` per component is what page, chart and CSV are all made from."""

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
# Which of the page's tones says it; the word stands beside it.
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
class TargetRow:
    """`set_later`: the day it was set, if that was after it began to hold."""

    percent: str
    valid_from: date
    valid_until: date | None
    set_later: date | None


@dataclass(frozen=True)
class ServiceLevelReport:
    """Texts, the same wherever they stand, empty where there is nothing to say. `down` is the downtime of the whole
    period; `used` what of it fell into promised time. Percent and minutes, weighted."""

    report: ServiceLevelData
    result: str
    tone: str
    targets: list[TargetRow]
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
        """`99.9`, or `99.9, then 99.95` where it changed within the period."""
        return ", then ".join(target.percent for target in self.targets)


@dataclass(frozen=True)
class ReportSpan:
    """The period around which one leafs, seen at `now`. What has not begun, or lies before all history, is not led to:
    `next` or `previous` is None then."""

    period: Period
    zone: tzinfo
    now: datetime
    known_since: datetime

    @property
    def end(self) -> datetime:
        return self.period.window(self.zone)[1]

    @property
    def as_of(self) -> datetime | None:
        """While the period runs: until when it is counted."""
        return self.now if self.now < self.end else None

    @property
    def previous(self) -> Period | None:
        return self.period.previous if self.period.window(self.zone)[0] > self.known_since else None

    @property
    def next(self) -> Period | None:
        return None if self.as_of else self.period.next

    @property
    def others(self) -> list[Period]:
        """From a month to its quarter, from a quarter to its months."""
        if self.period.length == 1:
            return [self.period.quarter]
        return [month for month in self.period.months() if month.window(self.zone)[0] <= self.now]


def span(page: Page, code: str, *, now: datetime) -> ReportSpan | None:
    """`code` like 2026-10 or 2026-Q4, empty for the current month. None if it is neither or has not begun."""
    period = Period.parse(code) if code else Period.month_at(now, page.zone)
    if period is None or period.window(page.zone)[0] > now:
        return None
    return ReportSpan(period, page.zone, now, page_known_since(page) or now)


def service_level_reports(
    page: Page, components: Sequence[Component], period: Period, *, viewer: Viewer, now: datetime
) -> list[ServiceLevelReport]:
    """Four queries."""
    return [_sheet(report, page) for report in service_reports(page, components, period, viewer=viewer, now=now)]


def plain(number: Decimal) -> str:
    """Without trailing zeros or exponent: `99.95`, `100`."""
    return f"{number.normalize():f}"


def as_csv(page: Page, shown: Sequence[ServiceLevelReport]) -> str:
    """One line for each sheet; numbers as on the page, with a point and without units (RFC 4180)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_row(page, sheet) for sheet in shown)
    return text.getvalue()


def list_context(
    page: Page, around: ReportSpan, shown: Sequence[ServiceLevelReport], *, url_of: UrlOf
) -> dict[str, object]:
    """`url_of` builds the links: from the name and arguments of a URL that console and public pages both have."""
    code = around.period.code
    return {
        "page": page,
        "span": around,
        "rows": [(one, url_of("report", one.component.public_id, code)) for one in shown],
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
        "incidents": [(one, url_of("incident", one.public_id)) for one in incidents],
    }


def csv_file(page: Page, shown: Sequence[ServiceLevelReport], *, name: str) -> HttpResponse:
    response = HttpResponse(as_csv(page, shown), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="service-levels-{name}.csv"'
    return response


def chart(sheet: ServiceLevelReport, page: Page) -> SafeString | None:
    """What was left of the budget from day to day; None where nothing was promised or nothing has come to pass."""
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
        _in_words(sheet, page),
        budget=budget,
        points=points,
        ends=(f"{period.first:%b} {period.first.day}", f"{period.last:%b} {period.last.day}"),
        unit=lambda value: f"{value:g} min",
    )


def _in_words(sheet: ServiceLevelReport, page: Page) -> str:
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


def _targets(report: ServiceLevelData, page: Page) -> list[TargetRow]:
    found = []
    for target in report.targets:
        set_on = target.created_at.astimezone(page.zone).date()
        later = set_on if set_on > target.valid_from else None
        found.append(TargetRow(plain(target.percent), target.valid_from, target.valid_until, later))
    return found


def _row(page: Page, sheet: ServiceLevelReport) -> list[str | int]:
    level, period = sheet.report.level, sheet.report.period
    weights = (level.weights.major_outage, level.weights.partial_outage, level.weights.degraded_performance)
    return [
        sheet.component.public_id,
        _harmless(sheet.component.full_name),
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


def _harmless(text: str) -> str:
    """A name that a spreadsheet would run as a formula is kept as text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
