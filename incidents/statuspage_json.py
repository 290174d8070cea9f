"""Statuspage's JSON objects (contract section 1.3): every key always there, in the order of real captures.

Pure: rows in, dicts out, null where there is nothing. Whoever calls decides what may be seen. Incidents come
`with_timeline()`, components with their group, or each of them asks the database again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import groupby
from typing import Any

from django.urls import reverse

from incidents.models import AffectedComponent, Component, ComponentGroup, Incident, IncidentUpdate, Page, Postmortem
from incidents.status import Headline, worst_status
from incidents.text.time_shorthand import body_told, postmortem_told

Json = dict[str, Any]

POSTMORTEM = "postmortem"
_MINUTE = timedelta(minutes=1)


def stamp(moment: datetime, zone: tzinfo) -> str:
    """`2024-09-16T21:31:02.719Z`, in `zone`: exactly three fractional digits, cut off, not rounded.

    `Z` where the zone calls itself UTC, else its offset then: `+02:00`, and `+00:00` for London's winter. Offsets of
    local mean times have seconds, which ISO 8601 cannot say: they are cut to the minute, and the instant is kept.
    """
    local = moment.astimezone(zone)
    if local.tzname() in ("UTC", "UCT"):
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}Z"
    offset = local.utcoffset() or timedelta()
    if offset % _MINUTE:
        local = moment.astimezone(timezone(offset // _MINUTE * _MINUTE))
    return local.isoformat(timespec="milliseconds")


def published_postmortem(incident: Incident) -> Postmortem | None:
    postmortem: Postmortem | None = getattr(incident, "postmortem", None)
    return postmortem if postmortem and postmortem.is_published else None


def status_word(incident: Incident) -> str:
    """An incident's status; `postmortem` once there is one to read (contract section 1.3)."""
    return POSTMORTEM if published_postmortem(incident) and not incident.is_maintenance else incident.status


def postmortem_update_id(incident: Incident) -> str:
    """Of the update that a published postmortem is told as: it has no row of its own."""
    return hashlib.sha256(f"{POSTMORTEM}/{incident.public_id}".encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Wire:
    """One page's objects. `home_url`: its absolute address, without a slash at the end."""

    page: Page
    home_url: str

    def time(self, moment: datetime) -> str:
        return stamp(moment, self.page.zone)

    def time_or_none(self, moment: datetime | None) -> str | None:
        return self.time(moment) if moment else None

    def page_object(self) -> Json:
        return {
            "id": self.page.public_id,
            "name": self.page.name,
            "url": self.home_url,
            "time_zone": self.page.time_zone,
            "updated_at": self.time(self.page.updated_at),
        }

    def status(self, headline: Headline) -> Json:
        return {"indicator": headline.indicator, "description": headline.description}

    def components(self, components: Iterable[Component]) -> list[Json]:
        """A flat list of leaves and the groups that they are in, sorted by position over everything.

        `components` come in page order.
        """
        rows: list[Json] = []
        for group, found in groupby(components, key=lambda component: component.group):
            members = list(found)
            rows += [self.group(group, members)] if group else []
            rows += [self.component(component) for component in members]
        return sorted(rows, key=lambda row: row["position"])

    def component(self, component: Component) -> Json:
        return {
            "id": component.public_id,
            "name": component.name,
            "status": component.status,
            "created_at": self.time(component.created_at),
            "updated_at": self.time(component.updated_at),
            "position": component.position,
            "description": component.description or None,
            "showcase": component.showcase,
            "start_date": component.start_date.isoformat() if component.start_date else None,
            "group_id": component.group.public_id if component.group else None,
            "page_id": self.page.public_id,
            "group": False,
            "only_show_if_degraded": component.only_show_if_degraded,
        }

    def group(self, group: ComponentGroup, members: Iterable[Component]) -> Json:
        """As bad as the worst of `members`, whose ids are its last key."""
        listed = list(members)
        return {
            "id": group.public_id,
            "name": group.name,
            "status": worst_status(member.status for member in listed).value,
            "created_at": self.time(group.created_at),
            "updated_at": self.time(group.updated_at),
            "position": group.position,
            "description": group.description or None,
            "showcase": True,
            "start_date": None,
            "group_id": None,
            "page_id": self.page.public_id,
            "group": True,
            "only_show_if_degraded": False,
            "components": [member.public_id for member in listed],
        }

    def incident(self, incident: Incident, components: Iterable[Component]) -> Json:
        """An incident of any status. `components`: those of the affected ones that have a row."""
        return self._common(incident, components) | {"reminder_intervals": incident.reminder_intervals or None}

    def maintenance(self, maintenance: Incident, components: Iterable[Component]) -> Json:
        start, end = maintenance.window
        window = {"scheduled_for": self.time(start), "scheduled_until": self.time(end)}
        return self._common(maintenance, components) | window

    def _common(self, incident: Incident, components: Iterable[Component]) -> Json:
        return {
            "id": incident.public_id,
            "name": incident.title,
            "status": status_word(incident),
            "created_at": self.time(incident.created_at),
            "updated_at": self.time(incident.updated_at),
            "monitoring_at": self.time_or_none(incident.monitoring_at),
            "resolved_at": self.time_or_none(incident.resolved_at),
            "impact": incident.impact,
            "shortlink": self.link(incident),
            "started_at": self.time(incident.started_at),
            "page_id": self.page.public_id,
            "incident_updates": self.updates(incident),
            "components": [self.component(component) for component in components],
        }

    def link(self, incident: Incident) -> str:
        return self.home_url + reverse("public:incident", args=[incident.public_id])

    def updates(self, incident: Incident) -> list[Json]:
        """Newest first, never empty; a published postmortem is the newest."""
        told = [self.update(update, incident) for update in incident.updates.all()]
        postmortem = published_postmortem(incident)
        if postmortem and postmortem.published_at and not incident.is_maintenance:
            told.insert(0, self._postmortem_update(postmortem, postmortem.published_at, incident))
        return told

    def update(self, update: IncidentUpdate, incident: Incident) -> Json:
        return {
            "id": update.public_id,
            "status": update.status,
            "body": body_told(update, incident),
            "incident_id": incident.public_id,
            "created_at": self.time(update.created_at),
            "updated_at": self.time(update.updated_at),
            "display_at": self.time(update.display_at),
            "affected_components": [self.affected(row) for row in update.affected.all()] or None,
            "deliver_notifications": update.notify,
            "custom_tweet": None,
            "tweet_id": None,
        }

    def _postmortem_update(self, postmortem: Postmortem, published_at: datetime, incident: Incident) -> Json:
        at = self.time(published_at)
        return {
            "id": postmortem_update_id(incident),
            "status": POSTMORTEM,
            "body": postmortem_told(postmortem, incident),
            "incident_id": incident.public_id,
            "created_at": at,
            "updated_at": self.time(postmortem.edited_at or published_at),
            "display_at": at,
            "affected_components": None,
            "deliver_notifications": True,
            "custom_tweet": None,
            "tweet_id": None,
        }

    def affected(self, row: AffectedComponent) -> Json:
        """`name` is `Group - Component` for a component in a group."""
        return {
            "code": row.component.public_id,
            "name": row.component.full_name,
            "old_status": row.old_status,
            "new_status": row.new_status,
        }
