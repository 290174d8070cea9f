"""The body of webhooks (contract section 4.1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import ClassVar

from incidents.models import Component, Event, Incident, IncidentUpdate, Postmortem
from incidents.plain_text import plain_postmortem_body
from incidents.status import Headline
from incidents.statuspage_json.base import COMPONENT_WEBHOOK, UPDATE_WEBHOOK, Json, Keys, Serializer, pick

SAMPLE_STATUS = "investigating"


class WebhookSerializer(Serializer):
    """Times are in UTC, whatever the zone of the page."""

    COMPONENT: ClassVar[Keys] = COMPONENT_WEBHOOK
    UPDATE: ClassVar[Keys] = UPDATE_WEBHOOK
    INCIDENT: ClassVar[Keys] = (
        "name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at", "impact", "shortlink",
        "postmortem_ignored", "postmortem_body", "postmortem_body_last_updated_at", "postmortem_published_at",
        "postmortem_notified_subscribers", "postmortem_notified_twitter", "backfilled", "scheduled_for",
        "scheduled_until", "scheduled_remind_prior", "scheduled_reminded_at", "impact_override",
        "scheduled_auto_in_progress", "scheduled_auto_completed", "id", "page_id", "incident_updates", "components",
    )  # fmt: skip

    @property
    def zone(self) -> tzinfo:
        return UTC

    def envelope(self, headline: Headline, *, unsubscribe: str, documentation: str, generated_at: datetime) -> Json:
        """The keys of every body. `unsubscribe` and `documentation` are URLs."""
        return {
            "meta": {
                "unsubscribe": unsubscribe,
                "documentation": documentation,
                "generated_at": self.time(generated_at),
            },
            "page": {
                "id": self.page.public_id,
                "status_indicator": headline.indicator,
                "status_description": headline.description,
            },
        }

    def incident(
        self,
        incident: Incident,
        updates: list[Json],
        components: Iterable[Component],
        *,
        postmortem: Postmortem | None = None,
        event: Event | None = None,
    ) -> Json:
        """An incident as of the newest of `updates`, with that update's status. `postmortem`: what `event` is about."""
        values = self.incident_values(incident) | self.schedule_values(incident)
        if postmortem and event:
            about = self.postmortem_values(
                postmortem,
                body=plain_postmortem_body(postmortem, incident),
                written_at=postmortem.edited_at or postmortem.published_at or event.created_at,
                is_notified=event.notify,
            )
        else:
            about = self.postmortem_values(None, body=None, written_at=None, is_notified=False)
        newest = {
            "status": updates[0]["status"],
            "backfilled": False,
            "incident_updates": updates,
            "components": [self.component(component) for component in components],
        }
        return pick(values | about | newest, self.INCIDENT)

    def component_update(self, event: Event, component: Component, *, update_id: str) -> Json:
        """A component's new status, and the change. `update_id` identifies the change."""
        return {
            "component": self.component(component) | {"status": event.new_status},
            "component_update": {
                "old_status": event.old_status,
                "new_status": event.new_status,
                "created_at": self.time(event.created_at),
                "component_type": "Component",
                "id": update_id,
                "component_id": component.public_id,
            },
        }

    def sample(self, *, body: str, incident_id: str, update_id: str, at: datetime) -> Json:
        """The incident of a test message. It is not in the database."""
        incident = Incident(
            page=self.page, public_id=incident_id, title="Test message", status=SAMPLE_STATUS, impact="none",
            created_at=at, updated_at=at, started_at=at,
        )  # fmt: skip
        update = IncidentUpdate(
            pk=0, incident=incident, public_id=update_id, status=SAMPLE_STATUS, notify=True,
            created_at=at, updated_at=at, display_at=at,
        )  # fmt: skip
        # It affects no components. Django accepts prefetched rows only for a row with a primary key.
        update.__dict__["_prefetched_objects_cache"] = {"affected": []}
        sample = self.incident(incident, [self.update(update, incident) | {"body": body}], [])
        return sample | {"shortlink": f"{self.home_url}/"}
