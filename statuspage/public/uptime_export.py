"""A component's uptime with all that it was made from, so that anybody can recompute it (docs/uptime.md)."""

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

DAYS = (30, 90, 365)
DEFAULT_DAYS = 90
# Before the first status page, and short of what calendars can add to.
FIRST_YEAR, LAST_YEAR = 1990, 9000
METHOD = (
    "uptime_percentage = 100 * (known_seconds - down_seconds) / known_seconds, rounded down to four decimals;"
    " known_seconds = seconds of the window without no_data;"
    " down_seconds = the sum of weight * seconds over all statuses"
)


class BadRequest(ValueError):
    """What was asked for cannot be given; the message says so in plain words."""


@dataclass(frozen=True)
class UptimeExportRequest:
    """The window and, if `as_of` is set, the moment whose record is asked for."""

    start: datetime
    end: datetime
    as_of: datetime | None


@dataclass(frozen=True)
class UptimeExport:
    """`intervals` are cut to the window, oldest first, and all of them have an end. `at`: until when time is known."""

    page: Page
    component: Component
    request: UptimeExportRequest
    at: datetime
    weights: Weights
    intervals: list[Interval]
    totals: Totals


def read_request(params: Mapping[str, str], page: Page, *, now: datetime) -> UptimeExportRequest:
    """`days`, or `from` and `to`; and `as_of`. BadRequest says what is wrong."""
    for name in params:
        if name not in ("days", "from", "to", "as_of"):
            raise BadRequest(f"“{name[:40]}” is not known here. Use days, from, to and as_of.")
    as_of = _as_of(params["as_of"], page, now) if "as_of" in params else None
    if "from" in params or "to" in params:
        start, end = _window(params, page)
    else:
        # The end of a day belongs to that day, not to the one that begins with it.
        last = as_of - timedelta.resolution if as_of else now
        start, end = _last_days(params.get("days", str(DEFAULT_DAYS)), page, last)
    return UptimeExportRequest(start, end, as_of)


def uptime_export(page: Page, component: Component, request: UptimeExportRequest, *, now: datetime) -> UptimeExport:
    """At most two queries."""
    histories = read_histories([component], request.start, request.end, zone=page.zone, as_reported=request.as_of)
    history = histories[component.pk]
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


def as_json(proof: UptimeExport) -> dict[str, Any]:
    weights, lasted = proof.weights.by_status(), proof.totals.lasted
    percentage = proof.totals.percentage(proof.weights)
    return {
        "component": {"id": proof.component.public_id, "name": proof.component.full_name},
        "page": {"name": proof.page.name, "url": absolute_url(proof.page, reverse("public:home"))},
        "window": {
            "from": _iso(proof.request.start),
            "to": _iso(proof.request.end),
            "time_zone": proof.page.time_zone,
            "seconds": _seconds(proof.totals.window),
        },
        "reading": "as reported" if proof.request.as_of else "as corrected",
        "at": _iso(proof.at),
        "weights": {status: _plain(weight) for status, weight in weights.items()},
        "seconds": {status.value: _seconds(lasted.get(status, uptime.ZERO)) for status in BY_SEVERITY}
        | {"no_data": _seconds(proof.totals.no_data)},
        "known_seconds": _seconds(proof.totals.known),
        "down_seconds": _plain(proof.totals.seconds_down(proof.weights)),
        "uptime_percentage": None if percentage is None else _plain(percentage),
        "intervals": [
            {
                "status": interval.status,
                "from": _iso(interval.start),
                "to": _iso(end),
                "seconds": _seconds(end - interval.start),
            }
            for interval in proof.intervals
            if (end := interval.end)
        ],
        "method": METHOD,
    }


COLUMNS = ("record", "name", "from", "to", "seconds", "weight", "down_seconds", "uptime_percentage")


def as_csv(proof: UptimeExport) -> str:
    """One kind of row after another, each named in the first column: the same facts as the JSON."""
    document = as_json(proof)
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
    """A date means what was on record at its end; today means now."""
    if _date(text) == now.astimezone(page.zone).date():
        return now
    as_of = _moment(text, "as_of", page, end_of_day=True)
    if as_of > now:
        raise BadRequest("as_of lies in the future: nothing has been reported then.")
    return as_of


def _last_days(count: str, page: Page, at: datetime) -> tuple[datetime, datetime]:
    if count not in map(str, DAYS):
        raise BadRequest(f"days must be one of {', '.join(map(str, DAYS))}; for another window use from and to.")
    last = at.astimezone(page.zone).date()
    first = last - timedelta(days=int(count) - 1)
    return uptime.midnight(first, page.zone), uptime.midnight(last + timedelta(days=1), page.zone)


def _window(params: Mapping[str, str], page: Page) -> tuple[datetime, datetime]:
    if "days" in params:
        raise BadRequest("Give either days, or from and to.")
    if "from" not in params or "to" not in params:
        raise BadRequest("from and to belong together: one of them is missing.")
    start = _moment(params["from"], "from", page)
    end = _moment(params["to"], "to", page, end_of_day=True)
    if end <= start:
        raise BadRequest("to must be later than from.")
    return start, end


def _moment(text: str, name: str, page: Page, *, end_of_day: bool = False) -> datetime:
    """A date of the page's zone (its first moment, or the one that ends it) or a time with an offset."""
    plain = f"{name} must be a date like 2026-01-31 or a time with its offset like 2026-01-31T12:00:00Z."
    # In an address, a plus sign that was not escaped arrives as a space.
    text = text.strip().replace(" ", "+")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(plain) from None
    if not FIRST_YEAR <= found.year < LAST_YEAR:
        raise BadRequest(f"{name} must lie between {FIRST_YEAR} and {LAST_YEAR}.")
    if day := _date(text):
        return uptime.midnight(day + timedelta(days=end_of_day), page.zone)
    if found.tzinfo is None:
        raise BadRequest(plain)
    return found.astimezone(UTC)


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
    """Whole numbers without a point."""
    return int(value) if value == value.to_integral_value() else float(value)


def _harmless(name: str) -> str:
    """A spreadsheet must not take a name for a formula."""
    return f"'{name}" if name[:1] in "=+-@\t\r" else name
