"""The incident history: three months per page. Only the incidents of these months are read (contract section 2.2)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.safestring import SafeString

from incidents.models import Incident, IncidentUpdate, Page
from incidents.reporting.uptime import midnight
from incidents.visibility import Viewer
from statuspage.common.shared_reads import shared
from statuspage.public.past_incidents import history_html

MONTHS_PER_PAGE = 3


@dataclass(frozen=True)
class HistoryEntry:
    incident: Incident
    newest: IncidentUpdate

    @property
    def article(self) -> SafeString:
        """Return the entry as HTML."""
        return history_html(self.incident, self.newest)


@dataclass(frozen=True)
class HistoryMonth:
    first: date
    entries: list[HistoryEntry]


# Compared by identity, so that what is computed from it can be shared.
@dataclass(frozen=True, eq=False)
class History:
    """`newer` and `older` are the numbers of the adjacent pages, None on the first and last page."""

    months: list[HistoryMonth]
    newer: int | None
    older: int | None
    changed_at: datetime


@shared
def history_page(page: Page, number: int, *, now: datetime) -> History | None:
    """Return a page of the history, or None if it does not exist. Page 1 has the current month. Three queries."""
    visible = page.incidents.visible_to(Viewer.PUBLIC)
    this_month = _month_of(now, page)
    pages = page_count(page, now=now)
    if not 1 <= number <= pages:
        return None
    months = [months_before(this_month, (number - 1) * MONTHS_PER_PAGE + n) for n in range(MONTHS_PER_PAGE)]
    start, end = midnight(months[-1], page.zone), midnight(months_before(months[0], -1), page.zone)
    newest = IncidentUpdate.objects.newest_first().filter(incident=OuterRef("pk")).values("pk")[:1]
    incidents: list[Any] = list(visible.started_between(start, end).annotate(newest=Subquery(newest)))
    updates = IncidentUpdate.objects.in_bulk([incident.newest for incident in incidents])
    by_month: dict[date, list[HistoryEntry]] = {month: [] for month in months}
    for incident in sorted(incidents, key=lambda incident: (incident.happened_at, incident.pk), reverse=True):
        month = _month_of(incident.happened_at, page)
        by_month[month].append(HistoryEntry(incident, updates[incident.newest]))
    return History(
        months=[HistoryMonth(first, entries) for first, entries in by_month.items()],
        newer=number - 1 if number > 1 else None,
        older=number + 1 if number < pages else None,
        changed_at=max(page.updated_at, midnight(this_month, page.zone)),
    )


@shared
def page_count(page: Page, *, now: datetime) -> int:
    """Return the number of history pages back to the first incident, at least 1. One query."""
    first = page.incidents.visible_to(Viewer.PUBLIC).first_start() or now
    return max(1, page_of(page, first, now=now))


def page_of(page: Page, moment: datetime, *, now: datetime) -> int:
    """Return the number of the page that contains `moment`; 0 or less for a future month."""
    return months_between(_month_of(moment, page), _month_of(now, page)) // MONTHS_PER_PAGE + 1


def _month_of(moment: datetime, page: Page) -> date:
    return moment.astimezone(page.zone).date().replace(day=1)


def months_before(month: date, count: int) -> date:
    index = month.year * 12 + month.month - 1 - count
    return date(index // 12, index % 12 + 1, 1)


def months_between(earlier: date, later: date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month
