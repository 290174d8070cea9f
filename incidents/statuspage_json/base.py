"""The values of the objects that several interfaces share, and the keys of components and updates in each interface."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, ClassVar

from django.urls import reverse

from incidents.models import AffectedComponent, Component, ComponentGroup, Incident, IncidentUpdate, Page, Postmortem
from incidents.plain_text import plain_body, plain_postmortem_body
from incidents.status import worst_status

Json = dict[str, Any]
Keys = tuple[str, ...]

POSTMORTEM = "postmortem"
_MINUTE = timedelta(minutes=1)

# Keys in the order of recorded responses, after the interface. API v1 takes every value: its schemas list the keys.
COMPONENT_V2: Keys = (
    "id", "name", "status", "created_at", "updated_at", "position", "description", "showcase", "start_date", "group_id",
    "page_id", "group", "only_show_if_degraded",
)  # fmt: skip
COMPONENT_WEBHOOK: Keys = (
    "status", "name", "created_at", "updated_at", "position", "description", "showcase", "id", "page_id", "group_id",
)  # fmt: skip
UPDATE_V2: Keys = (
    "id", "status", "body", "incident_id", "created_at", "updated_at", "display_at", "affected_components",
    "deliver_notifications", "custom_tweet", "tweet_id",
)  # fmt: skip
UPDATE_WEBHOOK: Keys = (
    "status", "body", "created_at", "wants_twitter_update", "twitter_updated_at", "updated_at", "display_at",
    "affected_components", "custom_tweet", "deliver_notifications", "id", "incident_id",
)  # fmt: skip
UPDATE_INCIDENT_JSON: Keys = (*UPDATE_WEBHOOK[:-2], "tweet_id", *UPDATE_WEBHOOK[-2:])

# The values of Statuspage's features that Candor does not have.
_NO_TWEET: Json = {
    "custom_tweet": None,
    "tweet_id": None,
    "twitter_updated_at": None,
    "wants_twitter_update": False,
}


def pick(values: Mapping[str, Any], keys: Keys) -> Json:
    return {key: values[key] for key in keys}


def format_time(moment: datetime, zone: tzinfo) -> str:
    """Return `moment` in `zone` like `2024-09-16T21:31:02.719Z`. Milliseconds are cut off, not rounded.

    The offset is `Z` in a zone named UTC, else numeric: `+02:00`, and `+00:00` for London in winter. ISO 8601 has no
    seconds in offsets, so the offsets of local mean times are cut to the minute; the instant stays the same.
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


def incident_status(incident: Incident) -> str:
    """Return the incident's status, or `postmortem` once its postmortem is published (contract section 1.3)."""
    return POSTMORTEM if published_postmortem(incident) and not incident.is_maintenance else incident.status


def postmortem_update_id(incident: Incident) -> str:
    """Return the id of the update that stands for a published postmortem. It has no row of its own."""
    return hashlib.sha256(f"{POSTMORTEM}/{incident.public_id}".encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Serializer:
    """The objects of one page. `home_url` is the page's absolute URL without a slash at the end."""

    page: Page
    home_url: str

    COMPONENT: ClassVar[Keys] = COMPONENT_V2
    UPDATE: ClassVar[Keys] = UPDATE_V2

    @property
    def zone(self) -> tzinfo:
        """The zone that times are written in."""
        return self.page.zone

    def time(self, moment: datetime) -> str:
        return format_time(moment, self.zone)

    def time_or_none(self, moment: datetime | None) -> str | None:
        return self.time(moment) if moment else None

    def link(self, incident: Incident) -> str:
        return self.home_url + reverse("public:incident", args=[incident.public_id])

    def page_values(self) -> Json:
        return {
            "id": self.page.public_id,
            "name": self.page.name,
            "url": self.home_url,
            "time_zone": self.page.time_zone,
            "updated_at": self.time(self.page.updated_at),
        }

    def component_values(self, component: Component) -> Json:
        """Every value of a component. A new field is added here, and to the keys of the interfaces that show it."""
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

    def component(self, component: Component) -> Json:
        return pick(self.component_values(component), self.COMPONENT)

    def group(self, group: ComponentGroup, members: Iterable[Component]) -> Json:
        """A component group. Its status is the worst status of `members`, and their ids are its last value."""
        members = list(members)
        values = {
            "id": group.public_id,
            "name": group.name,
            "status": worst_status(member.status for member in members).value,
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
        }
        return pick(values, self.COMPONENT) | {"components": [member.public_id for member in members]}

    def affected_component(self, row: AffectedComponent) -> Json:
        """`name` is `Group - Component` for a component in a group."""
        return {
            "code": row.component.public_id,
            "name": row.component.full_name,
            "old_status": row.old_status,
            "new_status": row.new_status,
        }

    def update(self, update: IncidentUpdate, incident: Incident) -> Json:
        values = {
            "id": update.public_id,
            "incident_id": incident.public_id,
            "status": update.status,
            "body": plain_body(update, incident),
            "created_at": self.time(update.created_at),
            "updated_at": self.time(update.updated_at),
            "display_at": self.time(update.display_at),
            "affected_components": [self.affected_component(row) for row in update.affected.all()] or None,
            "deliver_notifications": update.notify,
        }
        return pick(values | _NO_TWEET, self.UPDATE)

    def postmortem_update(
        self, postmortem: Postmortem, incident: Incident, *, at: datetime, updated_at: datetime
    ) -> Json:
        """The update that stands for a postmortem."""
        values = {
            "id": postmortem_update_id(incident),
            "incident_id": incident.public_id,
            "status": POSTMORTEM,
            "body": plain_postmortem_body(postmortem, incident),
            "created_at": self.time(at),
            "updated_at": self.time(updated_at),
            "display_at": self.time(at),
            "affected_components": None,
            "deliver_notifications": True,
        }
        return pick(values | _NO_TWEET, self.UPDATE)

    def updates(self, incident: Incident) -> list[Json]:
        """The incident's updates, newest first. A published postmortem is the newest."""
        updates = [self.update(update, incident) for update in incident.updates.all()]
        postmortem = published_postmortem(incident)
        if postmortem and postmortem.published_at and not incident.is_maintenance:
            at = postmortem.published_at
            updated_at = postmortem.edited_at or at
            updates.insert(0, self.postmortem_update(postmortem, incident, at=at, updated_at=updated_at))
        return updates

    def incident_values(self, incident: Incident) -> Json:
        """The values that every interface has, without updates and components."""
        return {
            "id": incident.public_id,
            "name": incident.title,
            "status": incident_status(incident),
            "created_at": self.time(incident.created_at),
            "updated_at": self.time(incident.updated_at),
            "monitoring_at": self.time_or_none(incident.monitoring_at),
            "resolved_at": self.time_or_none(incident.resolved_at),
            "impact": incident.impact,
            "shortlink": self.link(incident),
            "started_at": self.time(incident.started_at),
            "page_id": self.page.public_id,
        }

    def schedule_values(self, incident: Incident) -> Json:
        """The values about a maintenance's schedule, and the impact that was set by hand."""
        is_maintenance = incident.is_maintenance
        reminders = list(incident.reminders.all()) if is_maintenance else []
        sent = [reminder.sent_at for reminder in reminders if reminder.sent_at]
        return {
            "scheduled_for": self.time_or_none(incident.scheduled_for),
            "scheduled_until": self.time_or_none(incident.scheduled_until),
            "scheduled_remind_prior": bool(reminders),
            "scheduled_reminded_at": self.time_or_none(max(sent, default=None)),
            "scheduled_auto_in_progress": is_maintenance and incident.auto_start,
            "scheduled_auto_completed": is_maintenance and incident.auto_complete,
            "impact_override": incident.impact_override or None,
        }

    def postmortem_values(
        self, postmortem: Postmortem | None, *, body: str | None, written_at: datetime | None, is_notified: bool
    ) -> Json:
        """The values of an incident about its postmortem. `is_notified`: whether subscribers were notified of it."""
        return {
            "postmortem_ignored": False,
            "postmortem_body": body,
            "postmortem_body_last_updated_at": self.time_or_none(written_at),
            "postmortem_published_at": self.time_or_none(postmortem.published_at if postmortem else None),
            "postmortem_notified_subscribers": is_notified,
            "postmortem_notified_twitter": False,
        }
