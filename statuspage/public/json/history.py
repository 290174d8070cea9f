"""`/history.json`: the history in Statuspage's format, three months at a time (contract section 2.2)."""

from datetime import datetime, time, timedelta

from incidents.models import Page
from incidents.plain_text import plain_body
from incidents.statuspage_json import HistorySerializer, Json
from statuspage.common.shared_reads import shared
from statuspage.common.urls import absolute_url
from statuspage.public.feeds import marked_span
from statuspage.public.history import History, HistoryEntry, months_before
from statuspage.public.page_state import shown_components


@shared
def history_body(page: Page, history: History) -> Json:
    """Return the body for the months of `history`. Costs one query."""
    serializer = HistorySerializer(page, absolute_url(page, ""))
    last_day = months_before(history.months[0].first, -1) - timedelta(days=1)
    return serializer.history(
        shown_components(page),
        [
            serializer.month(month.first, [_entry(serializer, entry) for entry in month.entries])
            for month in history.months
        ],
        start=datetime.combine(history.months[-1].first, time(), page.zone),
        end=datetime.combine(last_day, time(23, 59, 59), page.zone),
    )


def _entry(serializer: HistorySerializer, entry: HistoryEntry) -> Json:
    """One incident. The message is the full text, which the HTML page shortens."""
    incident = entry.incident
    timestamp = marked_span(incident.happened_at, incident.resolved_at, serializer.page.zone)
    return serializer.incident(incident, message=plain_body(entry.newest, incident), timestamp=timestamp)
