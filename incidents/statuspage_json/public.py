"""The JSON of the public page: API v2, `/history.json` and `/incidents/<id>.json`."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import ClassVar

from incidents.models import Component, Incident
from incidents.plain_text import plain_postmortem_body
from incidents.status import Headline
from incidents.statuspage_json.base import (
    COMPONENT_WEBHOOK,
    UPDATE_INCIDENT_JSON,
    Json,
    Keys,
    Serializer,
    pick,
    published_postmortem,
)


class V2Serializer(Serializer):
    """The public API v2 (contract section 1)."""

    def page_object(self) -> Json:
        return self.page_values()

    def status(self, headline: Headline) -> Json:
        return {"indicator": headline.indicator, "description": headline.description}

    def components(self, components: Iterable[Component]) -> list[Json]:
        """A flat list of components and their groups, sorted by position. `components` are in page order."""
        objects: list[Json] = []
        for group, grouped in groupby(components, key=lambda component: component.group):
            members = list(grouped)
            objects += [self.group(group, members)] if group else []
            objects += [self.component(component) for component in members]
        return sorted(objects, key=lambda row: row["position"])

    def incident(self, incident: Incident, components: Iterable[Component]) -> Json:
        """An incident. `components` are the affected components that the page shows."""
        return self._incident(incident, components) | {"reminder_intervals": incident.reminder_intervals or None}

    def maintenance(self, maintenance: Incident, components: Iterable[Component]) -> Json:
        start, end = maintenance.window
        window = {"scheduled_for": self.time(start), "scheduled_until": self.time(end)}
        return self._incident(maintenance, components) | window

    def _incident(self, incident: Incident, components: Iterable[Component]) -> Json:
        return self.incident_values(incident) | {
            "incident_updates": self.updates(incident),
            "components": [self.component(component) for component in components],
        }


class IncidentSerializer(Serializer):
    """`/incidents/<id>.json`: keys in the order of webhooks, and components as in API v2 (contract section 1.1)."""

    UPDATE: ClassVar[Keys] = UPDATE_INCIDENT_JSON
    INCIDENT: ClassVar[Keys] = (
        "name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at", "impact", "shortlink",
        "started_at", "postmortem_ignored", "postmortem_body", "postmortem_body_last_updated_at",
        "postmortem_published_at", "postmortem_notified_subscribers", "postmortem_notified_twitter", "backfilled",
        "scheduled_for", "scheduled_until", "scheduled_remind_prior", "scheduled_reminded_at", "impact_override",
        "scheduled_auto_in_progress", "scheduled_auto_completed", "id", "page_id", "incident_updates", "components",
        "reminder_intervals",
    )  # fmt: skip

    def incident(self, incident: Incident, components: Iterable[Component], *, is_notified: bool) -> Json:
        """`is_notified`: whether subscribers were notified of the postmortem."""
        postmortem = published_postmortem(incident)
        values = (
            self.incident_values(incident)
            | self.schedule_values(incident)
            | self.postmortem_values(
                postmortem,
                body=plain_postmortem_body(postmortem, incident) if postmortem else None,
                written_at=(postmortem.edited_at or postmortem.published_at) if postmortem else None,
                is_notified=is_notified,
            )
            | {
                "backfilled": False,
                "incident_updates": self.updates(incident),
                "components": [self.component(component) for component in components],
                "reminder_intervals": None,
            }
        )
        return pick(values, self.INCIDENT)


class HistorySerializer(Serializer):
    """`/history.json`, which Statuspage's own page requests, three months at a time (contract section 2.2)."""

    COMPONENT: ClassVar[Keys] = COMPONENT_WEBHOOK
    PAGE: ClassVar[Keys] = ("name", "url", "time_zone", "updated_at", "id")

    def history(self, components: Iterable[Component], months: list[Json], *, start: datetime, end: datetime) -> Json:
        return {
            "page_status": {"page": pick(self.page_values(), self.PAGE)},
            "components": [self.component(component) for component in components],
            "months": months,
            "show_component_filter": False,
            "show_uptime_calendar": True,
            "component_filter": None,
            "start_time": start.isoformat(),
            "end_time": end.isoformat(),
        }

    def month(self, first: date, incidents: Sequence[Json]) -> Json:
        """The month that begins on `first`. `starts_on` is the weekday of that day; Sunday is 0."""
        return {
            "name": f"{first:%B}",
            "year": first.year,
            "starts_on": first.isoweekday() % 7,
            "days": monthrange(first.year, first.month)[1],
            "incidents": list(incidents),
        }

    def incident(self, incident: Incident, *, message: str, timestamp: str) -> Json:
        """`message` is the text of the newest update, and `timestamp` the HTML of the incident's period."""
        return {
            "code": incident.public_id,
            "name": incident.title,
            "message": message,
            "impact": incident.impact,
            "timestamp": timestamp,
        }
