"""The HTML of an incident in a list: on the home page and in the history.

These lists contain hundreds of incidents, and an update changes few of them. So the HTML is remembered by value: a
`ListedIncident` is everything that the template of a list shows, and the template gets nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from html import unescape
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from incidents.models import Incident, IncidentUpdate
from incidents.statuspage_json import published_postmortem
from incidents.templatetags.candor import moment, window_html

MESSAGE_LENGTH = 240
# More than the home page and a page of the history usually list.
REMEMBERED = 2048


@dataclass(frozen=True)
class ListedUpdate:
    label: str
    display_at: datetime
    is_edited: bool
    body_html: str


@dataclass(frozen=True)
class ListedIncident:
    """`updates`: those that the list shows, newest first. `window`: that of a maintenance."""

    zone: ZoneInfo
    public_id: str
    title: str
    impact: str
    status_label: str
    started_at: datetime
    resolved_at: datetime | None
    cancelled_at: datetime | None
    duration: timedelta | None
    window: tuple[datetime, datetime] | None
    postmortem_at: datetime | None
    updates: tuple[ListedUpdate, ...]

    @property
    def when(self) -> SafeString:
        return window_html(*self.window, self.zone, year=True) if self.window else moment(self.started_at, self.zone)

    @property
    def message(self) -> str:
        """Return the newest update as one short line of plain text."""
        text = " ".join(unescape(strip_tags(self.updates[0].body_html)).split())
        return Truncator(text).chars(MESSAGE_LENGTH)


def home_html(incident: Incident) -> SafeString:
    """Return an ended incident with all its updates, as the home page shows it."""
    postmortem = published_postmortem(incident)
    postmortem_at = postmortem.published_at if postmortem else None
    return remembered_html("public/home/_past_incident.html", _listed(incident, incident.updates.all(), postmortem_at))


def history_html(incident: Incident, newest: IncidentUpdate) -> SafeString:
    """Return an incident with the beginning of its newest update, as the history shows it."""
    return remembered_html("public/history/_entry.html", _listed(incident, [newest], None))


def _listed(incident: Incident, updates: Iterable[IncidentUpdate], postmortem_at: datetime | None) -> ListedIncident:
    return ListedIncident(
        zone=incident.page.zone,
        public_id=incident.public_id,
        title=incident.title,
        impact=incident.impact,
        status_label=incident.get_status_display(),
        started_at=incident.started_at,
        resolved_at=incident.resolved_at,
        cancelled_at=incident.cancelled_at,
        duration=incident.duration,
        window=incident.window if incident.is_maintenance else None,
        postmortem_at=postmortem_at,
        updates=tuple(
            ListedUpdate(update.label, update.display_at, update.edited_at is not None, update.body_html)
            for update in updates
        ),
    )


@lru_cache(maxsize=REMEMBERED)
def remembered_html(template: str, incident: ListedIncident) -> SafeString:
    return render_to_string(template, {"incident": incident})
