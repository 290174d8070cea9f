"""A component's uptime with the data behind it, so that anyone can recalculate it (docs/uptime.md)."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse

from incidents.models import Component, Page
from incidents.models.states import BY_SEVERITY
from incidents.reporting import uptime
from incidents.reporting.status_history import read_histories, weights_at
from incidents.reporting.uptime import Interval, Totals, Weights
from statuspage.common.urls import absolute_url
from statuspage.public.uptime_reads import history_of

DAYS = (30, 90, 365)
DEFAULT_DAYS = 90
# From before the first status page to the last year with which date calculations work.
FIRST_YEAR, LAST_YEAR = 1990, 9000
METHOD = (
    "uptime_percentage = 100 * (known_seconds - down_seconds) / known_seconds, rounded down to four decimals;"
    " known_seconds = seconds of the window without no_data;"
    " down_seconds = the sum of weight * seconds over all statuses"
)


class InvalidExportRequest(ValueError):
    """A parameter of the request is missing or invalid. The message is for the client."""


@dataclass(frozen=True)
class UptimeExportRequest:
    """The window and, for figures as they were recorded at some time, that time as `as_of`."""

    start: datetime
    end: datetime
    as_of: datetime | None


@dataclass(frozen=True)
class UptimeExport:
    """`intervals` are cut to the window, oldest first, and all have an end. Time after `at` is unknown."""

    page: Page
    component: Component
    request: UptimeExportRequest
    at: datetime
    weights: Weights
    intervals: list[Interval]
    totals: Totals


def read_request(params: Mapping[str, str], page: Page, *, now: datetime) -> UptimeExportRequest:
    """Read `days`, or `from` and `to`, and `as_of`. Raises InvalidExportRequest."""
    for name in params:
        if name not in ("days", "from", "to", "as_of"):
            raise InvalidExportRequest(f"“{name[:40]}” is not a known parameter. Use days, from, to and as_of.")
    as_of = _as_of(params["as_of"], page, now) if "as_of" in params else None
    if "from" in params or "to" in params:
        start, end = _window(params, page)
    else:
        # The end of a day is part of that day, not of the next day.
        last = as_of - timedelta.resolution if as_of else now
        start, end = _last_days(params.get("days", str(DEFAULT_DAYS)), page, last)
    return UptimeExportRequest(start, end, as_of)


def uptime_export(page: Page, component: Component, request: UptimeExportRequest, *, now: datetime) -> UptimeExport:
    """Return the export for a component. At most two queries."""
    if request.as_of:
        histories = read_histories([component], request.start, request.end, zone=page.zone, as_reported=request.as_of)
        history = histories[component.pk]
    else:
        history = history_of(page, component, request.start, request.end, now=now)
    at = request.as_of or now
    return UptimeExport(
        page=page,
        component=component,
        request=request,
        at=at,
        weights=weights_at(page, request.as_of) if request.as_of else Weights.for_page(page),
        intervals=uptime.cut(history, request.start, min(request.end, at)),
        totals=uptime.totals(history, request.start, request.end, until=at),
    )


def as_json(export: UptimeExport) -> dict[str, Any]:
    weights, lasted = export.weights.by_status(), export.totals.lasted
    percentage = export.totals.percentage(export.weights)
    return {
        "component": {"id": export.component.public_id, "name": export.component.full_name},
        "page": {"name": export.page.name, "url": absolute_url(export.page, reverse("public:home"))},
        "window": {
            "from": _iso(export.request.start),
            "to": _iso(export.request.end),
            "time_zone": export.page.time_zone,
            "seconds": _seconds(export.totals.window),
        },
        "reading": "as reported" if export.request.as_of else "as corrected",
        "at": _iso(export.at),
        "weights": {status: _plain(weight) for status, weight in weights.items()},
        "seconds": {status.value: _seconds(lasted.get(status, uptime.ZERO)) for status in BY_SEVERITY}
        | {"no_data": _seconds(export.totals.no_data)},
        "known_seconds": _seconds(export.totals.known),
        "down_seconds": _plain(export.totals.seconds_down(export.weights)),
        "uptime_percentage": None if percentage is None else _plain(percentage),
        "intervals": [
            {
                "status": interval.status,
                "from": _iso(interval.start),
                "to": _iso(end),
                "seconds": _seconds(end - interval.start),
            }
            for interval in export.intervals
            if (end := interval.end)
        ],
        "method": METHOD,
    }


COLUMNS = ("record", "name", "from", "to", "seconds", "weight", "down_seconds", "uptime_percentage")


def as_csv(export: UptimeExport) -> str:
    """Return the data of the JSON as CSV. The first column names the kind of each row."""
    document = as_json(export)
    window = document["window"]
    rows: list[dict[str, Any]] = [
        {"record": "component", "name": _harmless(document["component"]["name"])},
        {"record": "time zone", "name": window["time_zone"]},
        {"record": "reading", "name": document["reading"], "to": document["at"]},
        {"record": "window", "from": window["from"], "to": window["to"], "seconds": window["seconds"]},
    ]
    rows += [
        {
            "record": "interval",
            "name": interval["status"],
            "from": interval["from"],
            "to": interval["to"],
            "seconds": interval["seconds"],
        }
        for interval in document["intervals"]
    ]
    rows += [
        {"record": "status", "name": status, "seconds": document["seconds"][status], "weight": weight}
        for status, weight in document["weights"].items()
    ]
    rows.append({"record": "status", "name": "no_data", "seconds": document["seconds"]["no_data"]})
    rows.append(
        {
            "record": "result",
            "seconds": document["known_seconds"],
            "down_seconds": document["down_seconds"],
            "uptime_percentage": document["uptime_percentage"],
        }
    )
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _as_of(text: str, page: Page, now: datetime) -> datetime:
    """Parse `as_of`. A date means the end of that day; the current date means now."""
    if _date(text) == now.astimezone(page.zone).date():
        return now
    as_of = _moment(text, "as_of", page, end_of_day=True)
    if as_of > now:
        raise InvalidExportRequest("as_of must not be in the future.")
    return as_of


def _last_days(count: str, page: Page, at: datetime) -> tuple[datetime, datetime]:
    if count not in map(str, DAYS):
        raise InvalidExportRequest(
            f"days must be one of {', '.join(map(str, DAYS))}. For another window, use from and to."
        )
    last = at.astimezone(page.zone).date()
    first = last - timedelta(days=int(count) - 1)
    return uptime.midnight(first, page.zone), uptime.midnight(last + timedelta(days=1), page.zone)


def _window(params: Mapping[str, str], page: Page) -> tuple[datetime, datetime]:
    if "days" in params:
        raise InvalidExportRequest("Use either days, or from and to.")
    if "from" not in params or "to" not in params:
        raise InvalidExportRequest("Use from and to together: one of them is missing.")
    start = _moment(params["from"], "from", page)
    end = _moment(params["to"], "to", page, end_of_day=True)
    if end <= start:
        raise InvalidExportRequest("to must be later than from.")
    return start, end


def _moment(text: str, name: str, page: Page, *, end_of_day: bool = False) -> datetime:
    """Parse a time with an offset, or a date: its start or end in the page's time zone."""
    message = f"{name} must be a date like 2026-01-31 or a time with an offset like 2026-01-31T12:00:00Z."
    # A plus sign that is not escaped in a URL arrives as a space.
    text = text.strip().replace(" ", "+")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidExportRequest(message) from None
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise InvalidExportRequest(f"{name} must be between {FIRST_YEAR} and {LAST_YEAR}.")
    if day := _date(text):
        return uptime.midnight(day + timedelta(days=end_of_day), page.zone)
    if moment.tzinfo is None:
        raise InvalidExportRequest(message)
    return moment.astimezone(UTC)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _seconds(duration: timedelta) -> int | float:
    return _plain(Decimal(duration // timedelta(microseconds=1)).scaleb(-6))


def _plain(value: Decimal) -> int | float:
    """Convert to int if `value` is a whole number, else to float."""
    return int(value) if value == value.to_integral_value() else float(value)


def _harmless(name: str) -> str:
    """Escape a name that a spreadsheet would read as a formula."""
    return f"'{name}" if name[:1] in "=+-@\t\r" else name
