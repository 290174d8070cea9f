from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils import timezone

from incidents.models.base import new_key
from incidents.models.components import Component
from incidents.models.event_kinds import EventKind, EventProperties, properties_of
from incidents.models.incidents import Incident
from incidents.models.pages import Page
from incidents.models.postmortems import Postmortem
from incidents.models.states import ComponentStatus
from incidents.models.updates import IncidentUpdate


class EventQuerySet(models.QuerySet["Event"]):
    def notifying(self) -> EventQuerySet:
        """Events that subscribers are notified of."""
        return self.filter(notify=True).order_by("pk")

    def newest_of(self, page: Page) -> int:
        """The id of the last event of the page, or 0.

        The ids of one page follow the order of commits: every action updates, and so locks, the row of the page before
        it writes its event.
        """
        return self.filter(page=page).order_by("-pk").values_list("pk", flat=True).first() or 0

    def newest_key_of(self, page: int) -> tuple[int, str]:
        """The id and the key of the last event of the page with this primary key, or (0, "")."""
        return self.filter(page=page).order_by("-pk").values_list("pk", "public_key").first() or (0, "")

    def with_ids(self, ids: Iterable[int]) -> EventQuerySet:
        return self.filter(pk__in=list(ids))

    def is_pruned(self, event_id: int) -> bool:
        """Return whether the missing event was deleted because of its age: newer events exist, and no older ones."""
        return self.filter(pk__gt=event_id).exists() and not self.filter(pk__lt=event_id).exists()

    def of_page_after(self, page: Page, event_id: int) -> EventQuerySet:
        """Events of `page` after that one, oldest first."""
        return self.filter(page=page, pk__gt=event_id).select_related("incident", "update").order_by("pk")

    def with_announced_postmortem(self, incidents: Iterable[Incident]) -> set[int]:
        """The primary keys of those `incidents` whose postmortem subscribers were notified of."""
        events = self.filter(
            kind=EventKind.POSTMORTEM_PUBLISHED, notify=True, incident__in=[incident.pk for incident in incidents]
        )
        return {pk for pk in events.values_list("incident", flat=True) if pk}

    def about(self, postmortem: Postmortem) -> EventQuerySet:
        return self.filter(postmortem=postmortem)

    def waiting_for_fan_out(self) -> EventQuerySet:
        return self.filter(fanned_out_at__isnull=True).order_by("pk")


class Event(models.Model):
    """A change that other parts of Candor react to: subscribers are notified, published files are updated.

    Only actions write events, in the transaction of the change. `notify` says whether subscribers are notified.
    `public_key` identifies the event outside: the IDs of emails and webhook messages are derived from it.
    `old_status` and `new_status` are set if the status of a component changed. `fanned_out_at` is set when one delivery
    per subscriber exists.
    """

    public_key = models.CharField(max_length=32, default=new_key, editable=False)
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

    @property
    def properties(self) -> EventProperties:
        """What follows from its kind."""
        return properties_of(self.kind)
