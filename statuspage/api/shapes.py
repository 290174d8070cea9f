"""Rows to answers: what v1 says of each thing (contract section 3.5), from what v2 says where it is the same."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from incidents.models import (
    Component,
    ComponentGroup,
    Event,
    Incident,
    IncidentUpdate,
    Metric,
    MetricsProvider,
    Page,
    Postmortem,
    Preset,
)
from incidents.wire import published_postmortem
from statuspage.api.schemas.components import ComponentOut, GroupOut
from statuspage.api.schemas.incidents import IncidentOut, PostmortemOut, TemplateOut, UpdateOut
from statuspage.api.schemas.metrics import MetricOut, ProviderOut
from statuspage.api.schemas.pages import EmbedOut, PageOut
from statuspage.common.wire import wire_of

EMBED = {
    "position": "bottom-left",
    "incident_background_color": "#df484a",
    "incident_text_color": "#ffffff",
    "maintenance_background_color": "#3498db",
    "maintenance_text_color": "#ffffff",
}


def page_out(page: Page) -> PageOut:
    wire = wire_of(page)
    return PageOut(
        id=page.public_id,
        created_at=wire.time(page.created_at),
        updated_at=wire.time(page.updated_at),
        name=page.name,
        page_description=page.description or None,
        domain=page.domain or None,
        url=wire.home_url,
        support_url=page.support_url or None,
        allow_sms_subscribers=bool(settings.SMS_GATEWAY_URL),
        notifications_from_email=settings.DEFAULT_FROM_EMAIL,
        notifications_email_footer=(
            f"You received this email because you are subscribed to {page.name}'s service status notifications."
        ),
        time_zone=page.time_zone,
    )


def embed_out(page: Page) -> EmbedOut:
    return EmbedOut(page_id=page.public_id, **EMBED | page.embed_config)


def component_out(page: Page, component: Component) -> ComponentOut:
    return ComponentOut(**wire_of(page).component(component))


def group_out(page: Page, group: ComponentGroup) -> GroupOut:
    """Reads the group's active components."""
    members = [one for one in group.components.all() if one.archived_at is None]
    return GroupOut(**wire_of(page).group(group, members))


def incidents_out(page: Page, incidents: Iterable[Incident]) -> list[IncidentOut]:
    """`incidents` come `for_programs()`. One more query, however many."""
    listed = list(incidents)
    told = Event.objects.told_of_postmortems(listed)
    return [_incident(page, one, told_of_postmortem=one.pk in told) for one in listed]


def incident_out(page: Page, incident: Incident) -> IncidentOut:
    """Freshly read."""
    return incidents_out(page, Incident.objects.for_programs().filter(pk=incident.pk))[0]


def _incident(page: Page, incident: Incident, *, told_of_postmortem: bool) -> IncidentOut:
    wire = wire_of(page)
    postmortem = published_postmortem(incident)
    planned = incident.is_maintenance
    sent = [reminder.sent_at for reminder in incident.reminders.all() if reminder.sent_at]
    return IncidentOut(
        id=incident.public_id,
        components=[component_out(page, one) for one in incident.affected_components()],
        created_at=wire.time(incident.created_at),
        impact=incident.impact,
        impact_override=incident.impact_override or None,
        incident_updates=[UpdateOut(**wire.update(update, incident)) for update in incident.updates.all()],
        metadata=incident.metadata,
        monitoring_at=wire.time_or_none(incident.monitoring_at),
        name=incident.title,
        page_id=page.public_id,
        postmortem_body=postmortem.body if postmortem else None,
        postmortem_body_last_updated_at=wire.time_or_none(_changed_at(postmortem)) if postmortem else None,
        postmortem_notified_subscribers=told_of_postmortem,
        postmortem_published_at=wire.time_or_none(postmortem.published_at) if postmortem else None,
        resolved_at=wire.time_or_none(incident.resolved_at),
        scheduled_auto_completed=planned and incident.auto_complete,
        scheduled_auto_in_progress=planned and incident.auto_start,
        scheduled_for=wire.time_or_none(incident.scheduled_for),
        auto_transition_deliver_notifications_at_end=incident.notify_end if planned else None,
        auto_transition_deliver_notifications_at_start=incident.notify_start if planned else None,
        auto_transition_to_maintenance_state=incident.set_components if planned else None,
        auto_transition_to_operational_state=incident.restore_components if planned else None,
        scheduled_remind_prior=planned and bool(incident.reminders.all()),
        scheduled_reminded_at=wire.time_or_none(max(sent, default=None)),
        scheduled_until=wire.time_or_none(incident.scheduled_until),
        shortlink=wire.link(incident),
        started_at=wire.time(incident.started_at),
        status=incident.status,
        updated_at=wire.time(incident.updated_at),
        reminder_intervals=incident.reminder_intervals or None,
    )


def update_out(page: Page, update: IncidentUpdate) -> UpdateOut:
    return UpdateOut(**wire_of(page).update(update, update.incident))


def postmortem_out(page: Page, postmortem: Postmortem) -> PostmortemOut:
    wire = wire_of(page)
    published = postmortem.is_published
    return PostmortemOut(
        body=postmortem.body if published else None,
        body_updated_at=wire.time_or_none(_changed_at(postmortem)) if published else None,
        body_draft=postmortem.draft or None,
        body_draft_updated_at=wire.time(postmortem.updated_at) if postmortem.draft else None,
        published_at=wire.time_or_none(postmortem.published_at),
        notify_subscribers=bool(Event.objects.told_of_postmortems([postmortem.incident])),
        created_at=wire.time(postmortem.created_at),
        updated_at=wire.time(postmortem.updated_at),
    )


def _changed_at(postmortem: Postmortem) -> datetime | None:
    return postmortem.edited_at or postmortem.published_at


def template_out(page: Page, preset: Preset) -> TemplateOut:
    return TemplateOut(
        id=preset.public_id,
        components=[component_out(page, one) for one in preset.components.all()],
        name=preset.name,
        title=preset.title,
        body=preset.body,
        group_id=preset.group_label or None,
        update_status=preset.update_status or None,
        should_send_notifications=preset.should_send_notifications,
    )


def metric_out(page: Page, metric: Metric) -> MetricOut:
    """`metric` comes `in_order()`."""
    wire = wire_of(page)
    return MetricOut(
        id=metric.public_id,
        metrics_provider_id=metric.provider.public_id if metric.provider else None,
        metric_identifier=metric.metric_identifier or None,
        name=metric.name,
        display=metric.display,
        tooltip_description=metric.description or None,
        y_axis_min=metric.y_axis_min,
        y_axis_max=metric.y_axis_max,
        y_axis_hidden=metric.y_axis_hidden,
        suffix=metric.suffix or None,
        decimal_places=metric.decimal_places,
        most_recent_data_at=wire.time_or_none(getattr(metric, "newest_at", None)),
        created_at=wire.time(metric.created_at),
        updated_at=wire.time(metric.updated_at),
    )


def provider_out(page: Page, provider: MetricsProvider) -> ProviderOut:
    wire = wire_of(page)
    return ProviderOut(
        id=provider.public_id,
        type=provider.kind,
        created_at=wire.time(provider.created_at),
        updated_at=wire.time(provider.updated_at),
        page_id=page.public_id,
    )
