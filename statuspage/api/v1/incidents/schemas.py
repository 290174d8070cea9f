"""Incidents, maintenances and their updates."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field

from incidents.models import (
    Event,
    Incident,
    IncidentUpdate,
    Page,
)
from statuspage.api.lookups import serializer_of
from statuspage.api.v1.base import (
    ComponentStatusInOrNone,
    ComponentStatusOut,
    ImpactIn,
    ImpactOut,
    LooseMoment,
    Moment,
    Name,
    PublicIds,
    RequestModel,
    ResponseModel,
    StatusIn,
    StatusOut,
    Text,
)
from statuspage.api.v1.components import ComponentOut


class AffectedOut(ResponseModel):
    code: str
    name: str
    old_status: ComponentStatusOut
    new_status: ComponentStatusOut


class UpdateOut(ResponseModel):
    id: str
    incident_id: str
    affected_components: list[AffectedOut] | None
    body: str
    created_at: str
    custom_tweet: str | None = None
    deliver_notifications: bool
    display_at: str
    status: str
    tweet_id: str | None = None
    twitter_updated_at: str | None = None
    updated_at: str
    wants_twitter_update: bool = False


class IncidentOut(ResponseModel):
    id: str
    components: list[ComponentOut]
    created_at: str
    impact: ImpactOut
    impact_override: ImpactOut | None
    incident_updates: list[UpdateOut]
    incident_impacts: list[dict[str, Any]] = []
    metadata: dict[str, Any]
    monitoring_at: str | None
    name: str
    page_id: str
    postmortem_body: str | None
    postmortem_body_last_updated_at: str | None
    postmortem_ignored: bool = False
    postmortem_notified_subscribers: bool
    postmortem_notified_twitter: bool = False
    postmortem_published_at: str | None
    resolved_at: str | None
    scheduled_auto_completed: bool
    scheduled_auto_in_progress: bool
    scheduled_for: str | None
    auto_transition_deliver_notifications_at_end: bool | None
    auto_transition_deliver_notifications_at_start: bool | None
    auto_transition_to_maintenance_state: bool | None
    auto_transition_to_operational_state: bool | None
    scheduled_remind_prior: bool
    scheduled_reminded_at: str | None
    scheduled_until: str | None
    shortlink: str
    started_at: str
    status: StatusOut
    updated_at: str
    reminder_intervals: str | None


class IncidentIn(RequestModel):
    name: Name | None = None
    status: StatusIn | None = None
    body: Text | None = None
    message: Annotated[Text | None, Field(description="Old name of body")] = None
    impact_override: ImpactIn | None = None
    deliver_notifications: bool | None = None
    components: Annotated[
        dict[str, ComponentStatusInOrNone] | PublicIds | None,
        Field(description="Status by component id. An empty status names the component without changing it."),
    ] = None
    component_ids: PublicIds | None = None
    metadata: dict[str, Any] | None = None
    reminder_intervals: Annotated[str | None, Field(max_length=100)] = None
    backfilled: bool | None = None
    backfill_date: LooseMoment | None = None
    scheduled_for: Moment | None = None
    scheduled_until: Moment | None = None
    scheduled_remind_prior: bool | None = None
    scheduled_auto_in_progress: bool | None = None
    scheduled_auto_transition: Annotated[bool | None, Field(description="Old name of scheduled_auto_in_progress")] = (
        None
    )
    scheduled_auto_completed: bool | None = None
    auto_transition_to_maintenance_state: bool | None = None
    auto_transition_to_operational_state: bool | None = None
    auto_transition_deliver_notifications_at_start: bool | None = None
    auto_transition_deliver_notifications_at_end: bool | None = None

    @property
    def text(self) -> str:
        return self.body or self.message or ""

    @property
    def statuses(self) -> dict[str, str]:
        """The new status by component id, or "" if the status does not change."""
        statuses: dict[str, str] = dict.fromkeys(self.component_ids or [], "")
        mapped = self.components if isinstance(self.components, dict) else dict.fromkeys(self.components or [], "")
        return statuses | dict(mapped)


class IncidentBody(RequestModel):
    incident: IncidentIn


class UpdateIn(RequestModel):
    """`deliver_notifications` is accepted and ignored, because the update is published already."""

    body: Text | None = None
    display_at: Moment | None = None
    deliver_notifications: bool | None = None


class UpdateBody(RequestModel):
    incident_update: UpdateIn


def incidents_out(page: Page, incidents: Iterable[Incident]) -> list[IncidentOut]:
    """`incidents` come `with_api_fields()`. Costs one more query, however many they are."""
    incidents, serializer = list(incidents), serializer_of(page)
    notified = Event.objects.with_announced_postmortem(incidents)
    return [IncidentOut(**serializer.incident(incident, is_notified=incident.pk in notified)) for incident in incidents]


def incident_out(page: Page, incident: Incident) -> IncidentOut:
    """Read the incident again, and return it."""
    return incidents_out(page, Incident.objects.with_api_fields().filter(pk=incident.pk))[0]


def update_out(page: Page, update: IncidentUpdate) -> UpdateOut:
    return UpdateOut(**serializer_of(page).update(update, update.incident))
