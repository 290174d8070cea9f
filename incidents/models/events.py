from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils import timezone

from incidents.models.components import Component
from incidents.models.incidents import Incident
from incidents.models.pages import Page
from incidents.models.postmortems import Postmortem
from incidents.models.states import ComponentStatus
from incidents.models.updates import IncidentUpdate


class EventKind(models.TextChoices):
    INCIDENT_OPENED = "incident.opened"
    INCIDENT_UPDATED = "incident.updated"
    INCIDENT_RESOLVED = "incident.resolved"
    INCIDENT_REOPENED = "incident.reopened"
    MAINTENANCE_SCHEDULED = "maintenance.scheduled"
    MAINTENANCE_RESCHEDULED = "maintenance.rescheduled"
    MAINTENANCE_CHANGED = "maintenance.changed"
    MAINTENANCE_REMINDER = "maintenance.reminder"
    MAINTENANCE_STARTED = "maintenance.started"
    MAINTENANCE_UPDATED = "maintenance.updated"
    MAINTENANCE_COMPLETED = "maintenance.completed"
    MAINTENANCE_CANCELLED = "maintenance.cancelled"
    SERIES_CHANGED = "series.changed"
    INCIDENT_CHANGED = "incident.changed"
    INCIDENT_HIDDEN = "incident.hidden"
    INCIDENT_RESTORED = "incident.restored"
    INCIDENT_MERGED = "incident.merged"
    INCIDENT_BACKFILLED = "incident.backfilled"
    IMPACT_START = "incident.impact_start"
    UPDATE_EDITED = "update.edited"
    POSTMORTEM_PUBLISHED = "postmortem.published"
    POSTMORTEM_REVISED = "postmortem.revised"
    POSTMORTEM_RETRACTED = "postmortem.retracted"
    ACTION_ITEM_CHANGED = "action_item.changed"
    COMPONENT_STATUS = "component.status"
    COMPONENTS_CHANGED = "components.changed"
    TARGET_SET = "target.set"
    HISTORY_CORRECTED = "history.corrected"
    UPTIME_WEIGHTS = "uptime.weights"
    PAGE_CHANGED = "page.changed"
    INCIDENT_TEMPLATES_CHANGED = "presets.changed"
    METRICS_CHANGED = "metrics.changed"


class EventQuerySet(models.QuerySet["Event"]):
    def telling(self) -> EventQuerySet:
        """What subscribers are told of."""
        return self.filter(notify=True).order_by("pk")

    def newest_of(self, page: Page) -> int:
        """The id of the page's last event, 0 if there is none. Ids of one page are given in the order of their commits:
        every action stamps the page's row, and so holds it, before it writes its event."""
        return self.filter(page=page).order_by("-pk").values_list("pk", flat=True).first() or 0

    def of_page_after(self, page: Page, event_id: int) -> EventQuerySet:
        """What happened on `page` since that event, oldest first."""
        return self.filter(page=page, pk__gt=event_id).select_related("incident", "update").order_by("pk")

    def told_of_postmortems(self, incidents: Iterable[Incident]) -> set[int]:
        """Of which of `incidents` (primary keys) subscribers were told that there is a postmortem."""
        told = self.filter(kind=EventKind.POSTMORTEM_PUBLISHED, notify=True, incident__in=[one.pk for one in incidents])
        return {pk for pk in told.values_list("incident", flat=True) if pk}

    def about(self, postmortem: Postmortem) -> EventQuerySet:
        return self.filter(postmortem=postmortem)

    def waiting_for_fan_out(self) -> EventQuerySet:
        return self.filter(fanned_out_at__isnull=True).order_by("pk")


class Event(models.Model):
    """What happened, for whoever should know: the only way that news leaves the domain.

    Written by actions alone, in the transaction of the change. `notify` says whether subscribers are told.
    `old_status` and `new_status` are a component's, where the news is that it changed. `fanned_out_at` is stamped when
    the ledger has one delivery per subscriber.
    """

    page = models.ForeignKey(Page, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=24, choices=EventKind)
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, blank=True, related_name="events")
    update = models.ForeignKey(IncidentUpdate, models.CASCADE, null=True, blank=True, related_name="events")
    postmortem = models.ForeignKey(Postmortem, models.CASCADE, null=True, blank=True, related_name="events")
    component = models.ForeignKey(Component, models.CASCADE, null=True, blank=True, related_name="events")
    old_status = models.CharField(max_length=24, choices=ComponentStatus, blank=True)
    new_status = models.CharField(max_length=24, choices=ComponentStatus, blank=True)
    notify = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    fanned_out_at = models.DateTimeField(null=True, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["page", "id"], name="event_of_page"),
            models.Index(fields=["id"], condition=models.Q(fanned_out_at__isnull=True), name="event_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"
