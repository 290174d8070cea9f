"""What the pages about uptime read: status histories, and when they begin.

A publication renders the home page, the calendar, `/uptime.json` and several pages of single components. It reads the
histories of all components at once (`shared_reads`), because that takes as long as those of one or two components.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from incidents.models import Component, Page
from incidents.reporting.status_history import Histories, known_since, read_histories
from incidents.reporting.uptime import Interval, midnight
from incidents.visibility import Viewer
from statuspage.common.shared_reads import is_sharing, shared
from statuspage.public.history import MONTHS_PER_PAGE, months_before
from statuspage.public.page_state import showcased_components

BAR_DAYS = 90
SPANS = (30, 90, 365)


def recent_histories(page: Page, components: Iterable[Component], *, now: datetime) -> Histories:
    """Return the intervals that the bars and the newest months of the calendar show, and maybe a few earlier ones."""
    today = now.astimezone(page.zone).date()
    months = months_before(today.replace(day=1), MONTHS_PER_PAGE - 1)
    start = min(months, today - timedelta(days=BAR_DAYS - 1))
    return _histories(tuple(components), start, today, page.zone)


def yearly_histories(page: Page, components: Iterable[Component], *, now: datetime) -> Histories:
    """Return the intervals of the longest of SPANS, which ends with today."""
    today = now.astimezone(page.zone).date()
    return _histories(tuple(components), today - timedelta(days=max(SPANS) - 1), today, page.zone)


@shared
def _histories(components: tuple[Component, ...], first: date, last: date, zone: ZoneInfo) -> Histories:
    """Return the intervals from the start of `first` to the end of `last`. At most one query."""
    if not components:
        return {}
    return read_histories(components, midnight(first, zone), midnight(last + timedelta(days=1), zone), zone=zone)


def history_of(page: Page, component: Component, start: datetime, end: datetime, *, now: datetime) -> list[Interval]:
    """Return the intervals of `component` from `start` to `end`, in a publication also others of the last year."""
    today = now.astimezone(page.zone).date()
    is_within_year = start >= midnight(today - timedelta(days=max(SPANS) - 1), page.zone)
    if is_sharing() and is_within_year and end <= midnight(today + timedelta(days=1), page.zone):
        by_component = yearly_histories(page, showcased_components(page), now=now)
        if component.pk in by_component:
            return by_component[component.pk]
    return read_histories([component], start, end, zone=page.zone)[component.pk]


def beginnings(page: Page, components: Iterable[Component]) -> dict[int, datetime]:
    """Return when the history of each component begins, by its primary key. At most one query."""
    return _beginnings(tuple(components), page.zone)


@shared
def _beginnings(components: tuple[Component, ...], zone: ZoneInfo) -> dict[int, datetime]:
    return known_since(components, zone=zone) if components else {}


def beginning_of(page: Page, component: Component) -> datetime | None:
    return beginnings(page, showcased_components(page) if is_sharing() else [component]).get(component.pk)


def shown_component(page: Page, public_id: str) -> Component | None:
    """Return the component if its uptime is published, else None."""
    if is_sharing():
        return next((c for c in showcased_components(page) if c.public_id == public_id), None)
    shown = page.components.visible_to(Viewer.PUBLIC).showcased()
    return shown.select_related("group").filter(public_id=public_id).first()
