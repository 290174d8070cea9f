"""Uptime as visitors read it: the bars of the home page, the calendar, a component's own page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from incidents import uptime
from incidents.histories import read_histories
from incidents.models import Component, Page
from incidents.uptime import Totals, Weights

BAR_DAYS = 90


@dataclass(frozen=True)
class Bars:
    """The last 90 days of a component, today the last; and its uptime over all of them."""

    days: list[Totals]
    percentage: Decimal | None


def bars_of(page: Page, components: Collection[Component], *, now: datetime) -> dict[int, Bars]:
    """By the primary key of each component. One query; none without components."""
    if not components:
        return {}
    today = now.astimezone(page.zone).date()
    bounds = uptime.day_bounds(today - timedelta(days=BAR_DAYS - 1), today, page.zone)
    histories = read_histories(components, bounds[0], bounds[-1], zone=page.zone)
    weights = Weights.for_page(page)
    return {
        key: Bars(
            uptime.daily_totals(intervals, bounds, until=now),
            uptime.totals(intervals, bounds[0], bounds[-1], until=now).percentage(weights),
        )
        for key, intervals in histories.items()
    }
