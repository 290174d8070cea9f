"""The history as Statuspage's own page asks for it, three months at a time (contract section 2.2)."""

from calendar import monthrange
from datetime import datetime, time, timedelta

from incidents.models import Component, Page
from incidents.statuspage_json import Json, Wire
from incidents.text.time_shorthand import body_told
from incidents.visibility import Viewer
from statuspage.common.json_responses import wire_of
from statuspage.public.feeds import marked_span
from statuspage.public.history import Entry, History, Month, months_before


def history_body(page: Page, history: History) -> Json:
    """One query."""
    wire = wire_of(page)
    components = page.components.visible_to(Viewer.PUBLIC).in_page_order()
    last = months_before(history.months[0].first, -1) - timedelta(days=1)
    return {
        "page_status": {"page": _page(wire)},
        "components": [_component(wire, component) for component in components],
        "months": [_month(page, month) for month in history.months],
        "show_component_filter": False,
        "show_uptime_calendar": True,
        "component_filter": None,
        "start_time": datetime.combine(history.months[-1].first, time(), page.zone).isoformat(),
        "end_time": datetime.combine(last, time(23, 59, 59), page.zone).isoformat(),
    }


def _month(page: Page, month: Month) -> Json:
    """`starts_on`: the weekday of its first day, Sunday is 0."""
    first = month.first
    return {
        "name": f"{first:%B}",
        "year": first.year,
        "starts_on": first.isoweekday() % 7,
        "days": monthrange(first.year, first.month)[1],
        "incidents": [_entry(page, entry) for entry in month.entries],
    }


def _entry(page: Page, entry: Entry) -> Json:
    """Its message is the whole text; what stands on the page is short."""
    incident = entry.incident
    return {
        "code": incident.public_id,
        "name": incident.title,
        "message": body_told(entry.newest, incident),
        "impact": incident.impact,
        "timestamp": marked_span(incident.happened_at, incident.resolved_at, page.zone),
    }


def _page(wire: Wire) -> Json:
    """Here, the id comes last."""
    row = wire.page_object()
    return {name: row[name] for name in ("name", "url", "time_zone", "updated_at", "id")}


def _component(wire: Wire, component: Component) -> Json:
    row = wire.component(component)
    first = ("status", "name", "created_at", "updated_at", "position", "description", "showcase")
    return {name: row[name] for name in (*first, "id", "page_id", "group_id")}
