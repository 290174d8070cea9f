"""The body of a webhook: Statuspage's object of an incident or a component update (contract section 4.1)."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone

from incidents.models import Incident, Page
from incidents.status import page_status
from incidents.statuspage_json import Json, WebhookSerializer
from incidents.visibility import Viewer
from statuspage.common.signing import derived_id
from statuspage.common.urls import absolute_url
from statuspage.notifications.messages.notification import Notification


def webhook_payload(notification: Notification, *, unsubscribe: str) -> Json:
    """Return the body of a call about `notification`. It has either `incident` or `component_update`."""
    serializer = _serializer(notification.page)
    envelope = _envelope(serializer, unsubscribe)
    if notification.incident:
        return envelope | {"incident": _incident(serializer, notification, notification.incident)}
    if notification.component:
        event, update_id = notification.event, derived_id("component-update", notification.event.public_key)[:12]
        return envelope | serializer.component_update(event, notification.component, update_id=update_id)
    raise ValueError(f"{notification.event} is about neither an incident nor a component.")


def sample_payload(page: Page, *, unsubscribe: str) -> Json:
    """Return the body of a test message: an incident whose text says that it is a test."""
    serializer = _serializer(page)
    incident = serializer.sample(
        body=f"This is a test message from {page.name}'s status page. Nothing is wrong.",
        incident_id=derived_id("sample", page.public_id)[:12],
        update_id=derived_id("sample-update", page.public_id)[:12],
        at=timezone.now(),
    )
    return _envelope(serializer, unsubscribe) | {"incident": incident}


def _serializer(page: Page) -> WebhookSerializer:
    return WebhookSerializer(page, absolute_url(page, ""))


def _envelope(serializer: WebhookSerializer, unsubscribe: str) -> Json:
    page = serializer.page
    statuses = page.components.visible_to(Viewer.PUBLIC).values_list("status", flat=True)
    impacts = page.incidents.visible_to(Viewer.PUBLIC).unresolved().values_list("impact", flat=True)
    return serializer.envelope(
        page_status(list(statuses), open_impacts=list(impacts)),
        unsubscribe=unsubscribe,
        documentation=absolute_url(page, reverse("public:webhook")),
        generated_at=timezone.now(),
    )


def _incident(serializer: WebhookSerializer, notification: Notification, incident: Incident) -> Json:
    """The incident as of this notification, however late it is sent: its updates until then."""
    return serializer.incident(
        incident,
        _updates_until(serializer, notification, incident),
        incident.affected_components(),
        postmortem=notification.postmortem,
        event=notification.event,
    )


def _updates_until(serializer: WebhookSerializer, notification: Notification, incident: Incident) -> list[Json]:
    """Newest first. Many clients read only the first update and expect the notification's update there."""
    rows = list(incident.updates.all())
    if notification.update:
        rows = [update for update in rows if update.pk <= notification.update.pk]
    updates = [serializer.update(update, incident) for update in rows]
    postmortem = notification.postmortem
    if notification.update or not postmortem:
        return updates
    at = postmortem.published_at or postmortem.created_at
    return [serializer.postmortem_update(postmortem, incident, at=at, updated_at=at), *updates]
