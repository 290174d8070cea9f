"""The responses of the management API (contract section 3.5). The schemas of the API document and order the keys."""

from __future__ import annotations

from typing import ClassVar

from incidents.models import Component, Incident, IncidentTemplate, Metric, MetricsProvider, Postmortem
from incidents.statuspage_json.base import Json, Keys, Serializer, published_postmortem

_EMBED_DEFAULTS: Json = {
    "position": "bottom-left",
    "incident_background_color": "#df484a",
    "incident_text_color": "#ffffff",
    "maintenance_background_color": "#3498db",
    "maintenance_text_color": "#ffffff",
}


class V1Serializer(Serializer):
    UPDATE: ClassVar[Keys] = (*Serializer.UPDATE, "twitter_updated_at", "wants_twitter_update")

    def page_object(self) -> Json:
        """The page's own values. The API adds those that follow from the settings of the installation."""
        page = self.page
        return self.page_values() | {
            "created_at": self.time(page.created_at),
            "page_description": page.description or None,
            "domain": page.domain or None,
            "support_url": page.support_url or None,
            "notifications_email_footer": (
                f"You received this email because you are subscribed to {page.name}'s service status notifications."
            ),
        }

    def component(self, component: Component) -> Json:
        return self.component_values(component)

    def embed_config(self) -> Json:
        return {"page_id": self.page.public_id} | _EMBED_DEFAULTS | self.page.embed_config

    def incident(self, incident: Incident, *, is_notified: bool) -> Json:
        """An incident or a maintenance, with its own status. `is_notified`: subscribers, of the postmortem."""
        postmortem = published_postmortem(incident)
        return (
            self.incident_values(incident)
            | self.schedule_values(incident)
            | self.postmortem_values(
                postmortem,
                body=postmortem.body if postmortem else None,
                written_at=(postmortem.edited_at or postmortem.published_at) if postmortem else None,
                is_notified=is_notified,
            )
            | self._transitions(incident)
            | {
                "status": incident.status,
                "metadata": incident.metadata,
                "reminder_intervals": incident.reminder_intervals or None,
                "incident_updates": [self.update(update, incident) for update in incident.updates.all()],
                "components": [self.component(component) for component in incident.affected_components()],
            }
        )

    def _transitions(self, incident: Incident) -> Json:
        """What a maintenance does at its start and end. Null for incidents."""
        names = {
            "auto_transition_deliver_notifications_at_end": "notify_end",
            "auto_transition_deliver_notifications_at_start": "notify_start",
            "auto_transition_to_maintenance_state": "set_components",
            "auto_transition_to_operational_state": "restore_components",
        }
        return {key: getattr(incident, name) if incident.is_maintenance else None for key, name in names.items()}

    def postmortem(self, postmortem: Postmortem, *, is_notified: bool) -> Json:
        is_published, draft = postmortem.is_published, postmortem.draft
        written_at = postmortem.edited_at or postmortem.published_at
        return {
            "body": postmortem.body if is_published else None,
            "body_updated_at": self.time_or_none(written_at if is_published else None),
            "body_draft": draft or None,
            "body_draft_updated_at": self.time_or_none(postmortem.updated_at if draft else None),
            "published_at": self.time_or_none(postmortem.published_at),
            "notify_subscribers": is_notified,
            "created_at": self.time(postmortem.created_at),
            "updated_at": self.time(postmortem.updated_at),
        }

    def incident_template(self, template: IncidentTemplate) -> Json:
        return {
            "id": template.public_id,
            "components": [self.component(component) for component in template.components.all()],
            "name": template.name,
            "title": template.title,
            "body": template.body,
            "group_id": template.group_label or None,
            "update_status": template.update_status or None,
            "should_send_notifications": template.should_send_notifications,
        }

    def metric(self, metric: Metric) -> Json:
        """`metric` comes `in_order()`, which adds the time of its newest point."""
        return {
            "id": metric.public_id,
            "metrics_provider_id": metric.provider.public_id if metric.provider else None,
            "metric_identifier": metric.metric_identifier or None,
            "name": metric.name,
            "display": metric.display,
            "tooltip_description": metric.description or None,
            "y_axis_min": metric.y_axis_min,
            "y_axis_max": metric.y_axis_max,
            "y_axis_hidden": metric.y_axis_hidden,
            "suffix": metric.suffix or None,
            "decimal_places": metric.decimal_places,
            "most_recent_data_at": self.time_or_none(getattr(metric, "newest_at", None)),
            "created_at": self.time(metric.created_at),
            "updated_at": self.time(metric.updated_at),
        }

    def metrics_provider(self, provider: MetricsProvider) -> Json:
        return {
            "id": provider.public_id,
            "type": provider.kind,
            "created_at": self.time(provider.created_at),
            "updated_at": self.time(provider.updated_at),
            "page_id": self.page.public_id,
        }
