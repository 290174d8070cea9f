"""Maintenances as a calendar that other calendars subscribe to (RFC 5545, RFC 7986).

Times are in UTC, so calendars show them in the user's own time zone, whatever time zone database they have. METHOD is
left out, so DTSTAMP is the time of the last revision, and the same state gives the same bytes.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import unescape

from django.urls import reverse
from django.utils.html import strip_tags
from icalendar import Calendar, Event

from incidents.models import Component, Incident, Page
from incidents.reporting.uptime import midnight
from incidents.templatetags.candor import site_name
from incidents.text.wording import window_text
from incidents.visibility import Viewer
from statuspage.common.urls import absolute_url

PAST_DAYS = 90
REFRESH = timedelta(hours=1)
# RFC 5545, section 3.1: TEXT contains no control characters except tabs and line breaks.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BLOCK_END = re.compile(r"</(?:p|li|h\d|pre|blockquote|tr)>|<br ?/?>")


def calendar_feed(page: Page, *, now: datetime, component: Component | None = None) -> bytes:
    """Return all maintenances except those that ended over 90 days ago, or only those of `component`. Four queries."""
    today = now.astimezone(page.zone).date()
    since = midnight(today - timedelta(days=PAST_DAYS), page.zone)
    shown = page.incidents.visible_to(Viewer.PUBLIC).planned_since(since)
    if component:
        shown = shown.affecting([component.pk])
    name = f"{site_name(page)} - Maintenance" + (f" - {component.full_name}" if component else "")
    return _calendar(page, shown.soonest_first().with_details(), name=name)


def calendar_event(page: Page, maintenance: Incident) -> bytes:
    """Return an iCalendar file with one maintenance, to add to a calendar."""
    return _calendar(page, [maintenance], name=maintenance.title)


def _calendar(page: Page, maintenances: Iterable[Incident], *, name: str) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//Candor//Status page//EN")
    calendar.add("version", "2.0")
    calendar.add("name", _text(name))
    calendar.add("x-wr-calname", _text(name))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for maintenance in maintenances:
        calendar.add_component(_event(page, maintenance))
    return bytes(calendar.to_ical())


def _event(page: Page, maintenance: Incident) -> Event:
    url = absolute_url(page, reverse("public:incident", args=[maintenance.public_id]))
    revised_at = maintenance.updated_at.astimezone(UTC).replace(microsecond=0)
    event = Event()
    # No host name in it: if the page's domain changes, calendars must not show each event twice.
    event.add("uid", f"{maintenance.public_id}@{page.public_id}")
    event.add("sequence", maintenance.calendar_sequence)
    event.add("dtstamp", revised_at)
    event.add("last-modified", revised_at)
    event.add("created", maintenance.created_at.astimezone(UTC).replace(microsecond=0))
    start, end = maintenance.window
    event.add("dtstart", start.astimezone(UTC))
    event.add("dtend", end.astimezone(UTC))
    event.add("status", "CANCELLED" if maintenance.cancelled_at else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("summary", _text(("Canceled: " if maintenance.cancelled_at else "") + maintenance.title))
    event.add("description", _description(page, maintenance, url))
    event.add("url", url)
    return event


def _description(page: Page, maintenance: Incident, url: str) -> str:
    """Return the newest update, the affected components, the window in the page's time zone, and the URL."""
    window = window_text(*maintenance.window, page.zone)
    affected = ", ".join(component.full_name for component in maintenance.affected_components())
    last = maintenance.updates.all()[0]
    lines = [f"{last.label}: {_plain(last.body_html)}", f"Components: {affected}" if affected else "", window, url]
    return _text("\n\n".join(line for line in lines if line))


def _plain(html: str) -> str:
    """Convert rendered Markdown to lines of plain text."""
    lines = unescape(strip_tags(_BLOCK_END.sub("\n", html))).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def _text(text: str) -> str:
    return _CONTROL.sub("", text)
