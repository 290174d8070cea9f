"""What a webhook is told, in Statuspage's shapes (contract section 4.1): every key always there, null where empty."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from incidents.models import Component, Event, Incident, IncidentUpdate, Page, Postmortem
from incidents.status import page_status
from incidents.statuspage_json import postmortem_update_id
from incidents.text.time_shorthand import body_told, postmortem_told
from incidents.visibility import Viewer
from statuspage.common.signing import stable_id
from statuspage.common.urls import absolute_url
from statuspage.notifications.messages.notification import Notification

Json = dict[str, Any]


def payload_of(notification: Notification, *, unsubscribe: str) -> Json:
    """Return the request body for `notification`. It has either the key `incident` or the key `component_update`."""
    common = {"meta": _meta(notification.page, unsubscribe), "page": _page(notification.page)}
    if notification.incident:
        return common | {"incident": _incident(notification, notification.incident)}
    if notification.component:
        return common | _component_update(notification.event, notification.component)
    raise ValueError(f"{notification.event} is about neither an incident nor a component.")


def sample_payload(page: Page, *, unsubscribe: str) -> Json:
    """For a test message: an incident that says of itself that it is none."""
    now = _time(timezone.now())
    update = _UPDATE | {
        "status": "investigating",
        "body": f"This is a test message from {page.name}'s status page. Nothing is wrong.",
        "created_at": now,
        "updated_at": now,
        "display_at": now,
        "id": stable_id("sample-update", page.public_id)[:12],
        "incident_id": stable_id("sample", page.public_id)[:12],
    }
    incident = _INCIDENT | {
        "name": "Test message",
        "status": "investigating",
        "created_at": now,
        "updated_at": now,
        "impact": "none",
        "shortlink": absolute_url(page, "/"),
        "id": update["incident_id"],
        "page_id": page.public_id,
        "incident_updates": [update],
    }
    return {"meta": _meta(page, unsubscribe), "page": _page(page), "incident": incident}


# Every key in the order of real captures. The values are those of features of Statuspage's that there are none of here;
# all others are filled in.
_INCIDENT: Json = {
    "name": None,
    "status": None,
    "created_at": None,
    "updated_at": None,
    "monitoring_at": None,
    "resolved_at": None,
    "impact": None,
    "shortlink": None,
    "postmortem_ignored": False,
    "postmortem_body": None,
    "postmortem_body_last_updated_at": None,
    "postmortem_published_at": None,
    "postmortem_notified_subscribers": False,
    "postmortem_notified_twitter": False,
    "backfilled": False,
    "scheduled_for": None,
    "scheduled_until": None,
    "scheduled_remind_prior": False,
    "scheduled_reminded_at": None,
    "impact_override": None,
    "scheduled_auto_in_progress": False,
    "scheduled_auto_completed": False,
    "id": None,
    "page_id": None,
    "incident_updates": [],
    "components": [],
}
_UPDATE: Json = {
    "status": None,
    "body": None,
    "created_at": None,
    "wants_twitter_update": False,
    "twitter_updated_at": None,
    "updated_at": None,
    "display_at": None,
    "affected_components": None,
    "custom_tweet": None,
    "deliver_notifications": True,
    "id": None,
    "incident_id": None,
}


def _meta(page: Page, unsubscribe: str) -> Json:
    return {
        "unsubscribe": unsubscribe,
        "documentation": absolute_url(page, reverse("subscribers:webhook")),
        "generated_at": _time(timezone.now()),
    }


def _page(page: Page) -> Json:
    statuses = page.components.visible_to(Viewer.PUBLIC).values_list("status", flat=True)
    impacts = page.incidents.visible_to(Viewer.PUBLIC).unresolved().values_list("impact", flat=True)
    headline = page_status(list(statuses), open_impacts=list(impacts))
    return {
        "id": page.public_id,
        "status_indicator": headline.indicator,
        "status_description": headline.description,
    }


def _incident(notification: Notification, incident: Incident) -> Json:
    """As it stood at this news, however late it is told: its updates up to then, and the status of the last one."""
    updates = _updates_until(notification, incident)
    postmortem = notification.postmortem
    return (
        _INCIDENT
        | {
            "name": incident.title,
            "status": updates[0]["status"],
            "created_at": _time(incident.created_at),
            "updated_at": _time(incident.updated_at),
            "monitoring_at": _time_or_none(incident.monitoring_at),
            "resolved_at": _time_or_none(incident.resolved_at),
            "impact": incident.impact,
            "shortlink": absolute_url(notification.page, reverse("public:incident", args=[incident.public_id])),
            "scheduled_for": _time_or_none(incident.scheduled_for),
            "scheduled_until": _time_or_none(incident.scheduled_until),
            **(_plan(incident) if incident.is_maintenance else {}),
            "impact_override": incident.impact_override or None,
            "id": incident.public_id,
            "page_id": notification.page.public_id,
            "incident_updates": updates,
            "components": [_component(component, notification.page) for component in incident.affected_components()],
        }
        | (_postmortem(postmortem, notification.event, incident) if postmortem else {})
    )


def _plan(maintenance: Incident) -> Json:
    reminders = list(maintenance.reminders.all())
    return {
        "scheduled_remind_prior": bool(reminders),
        "scheduled_reminded_at": _time_or_none(max((one.sent_at for one in reminders if one.sent_at), default=None)),
        "scheduled_auto_in_progress": maintenance.auto_start,
        "scheduled_auto_completed": maintenance.auto_complete,
    }


def _updates_until(notification: Notification, incident: Incident) -> list[Json]:
    """Newest first: clients read only the first, and expect the news there."""
    written = list(incident.updates.all())
    if notification.update:
        return [_update(update, incident) for update in written if update.pk <= notification.update.pk]
    updates = [_update(update, incident) for update in written]
    return [_postmortem_update(notification.postmortem, incident), *updates] if notification.postmortem else updates


def _update(update: IncidentUpdate, incident: Incident) -> Json:
    return _UPDATE | {
        "status": update.status,
        "body": body_told(update, incident),
        "created_at": _time(update.created_at),
        "updated_at": _time(update.updated_at),
        "display_at": _time(update.display_at),
        "affected_components": [_affected(row) for row in update.affected.all()] or None,
        "deliver_notifications": update.notify,
        "id": update.public_id,
        "incident_id": incident.public_id,
    }


def _affected(row: Any) -> Json:
    return {
        "code": row.component.public_id,
        "name": row.component.full_name,
        "old_status": row.old_status,
        "new_status": row.new_status,
    }


def _postmortem(postmortem: Postmortem, event: Event, incident: Incident) -> Json:
    return {
        "postmortem_body": postmortem_told(postmortem, incident),
        "postmortem_body_last_updated_at": _time(postmortem.edited_at or postmortem.published_at or event.created_at),
        "postmortem_published_at": _time_or_none(postmortem.published_at),
        "postmortem_notified_subscribers": event.notify,
    }


def _postmortem_update(postmortem: Postmortem, incident: Incident) -> Json:
    at = _time(postmortem.published_at or postmortem.created_at)
    return _UPDATE | {
        "status": "postmortem",
        "body": postmortem_told(postmortem, incident),
        "created_at": at,
        "updated_at": at,
        "display_at": at,
        "id": postmortem_update_id(incident),
        "incident_id": incident.public_id,
    }


def _component_update(event: Event, component: Component) -> Json:
    return {
        "component": _component(component, event.page) | {"status": event.new_status},
        "component_update": {
            "old_status": event.old_status,
            "new_status": event.new_status,
            "created_at": _time(event.created_at),
            "component_type": "Component",
            "id": stable_id("component-update", event.pk)[:12],
            "component_id": component.public_id,
        },
    }


def _component(component: Component, page: Page) -> Json:
    return {
        "status": component.status,
        "name": component.name,
        "created_at": _time(component.created_at),
        "updated_at": _time(component.updated_at),
        "position": component.position,
        "description": component.description or None,
        "showcase": component.showcase,
        "id": component.public_id,
        "page_id": page.public_id,
        "group_id": component.group.public_id if component.group else None,
    }


def _time(moment: datetime) -> str:
    """UTC with three fractional digits, as in every capture of a webhook."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _time_or_none(moment: datetime | None) -> str | None:
    return _time(moment) if moment else None
