"""Read the objects of events anew for every batch, because an incident may be hidden between publishing and sending."""

from collections.abc import Collection
from dataclasses import dataclass

from incidents import clock
from incidents.models import Component, Event, EventKind, Incident, IncidentUpdate, Page, Postmortem
from incidents.visibility import Viewer


@dataclass(frozen=True)
class Notification:
    """One event: an incident with an update or a postmortem, or a component whose status was changed by hand.

    `withdrawn`: the reason not to send it any more, if any.
    """

    event: Event
    page: Page
    incident: Incident | None
    update: IncidentUpdate | None = None
    postmortem: Postmortem | None = None
    component: Component | None = None
    withdrawn: str = ""


def read_notification(event_ids: Collection[int]) -> dict[int, Notification]:
    """Return the notifications by event id, in a fixed number of queries."""
    related = ("page", "update", "postmortem", "component__group")
    events = Event.objects.select_related(*related).in_bulk(list(set(event_ids)))
    ids = {event.incident_id for event in events.values()}
    incidents = Incident.objects.with_api_fields().in_bulk([pk for pk in ids if pk])
    visible = set(Incident.objects.visible_to(Viewer.PUBLIC).filter(pk__in=incidents).values_list("pk", flat=True))
    return {
        event.pk: Notification(
            event=event,
            page=event.page,
            incident=incidents.get(event.incident_id or 0),
            update=event.update,
            postmortem=event.postmortem,
            component=event.component,
            withdrawn=_withdrawn(event, incidents.get(event.incident_id or 0), is_visible=event.incident_id in visible),
        )
        for event in events.values()
        if event.incident_id or event.component_id
    }


def _withdrawn(event: Event, incident: Incident | None, *, is_visible: bool) -> str:
    if event.component:
        return "The component was archived before this notification was sent." if event.component.archived_at else ""
    if not is_visible:
        return "The incident was hidden before this notification was sent."
    if event.postmortem and not event.postmortem.is_published:
        return "The postmortem was unpublished before this notification was sent."
    if event.kind == EventKind.MAINTENANCE_REMINDER and incident and not _is_upcoming(incident):
        return "The maintenance was no longer upcoming when this reminder was due."
    return ""


def _is_upcoming(maintenance: Incident) -> bool:
    return maintenance.is_upcoming and maintenance.window[0] > clock.now()
