from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from incidents.models.base import new_public_id
from incidents.models.components import Component
from incidents.models.maintenances import MaintenanceSeries, Switches
from incidents.models.pages import Page
from incidents.models.states import (
    CANCELED,
    ENDED,
    ONGOING,
    RUNNING,
    UNRESOLVED,
    UPCOMING,
    Impact,
    Kind,
    Status,
)
from incidents.models.updates import IncidentUpdate, timeline
from incidents.visibility import Viewer


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, viewer: Viewer) -> IncidentQuerySet:
        return self if viewer is Viewer.STAFF else self.filter(hidden_at__isnull=True)

    def incidents(self) -> IncidentQuerySet:
        return self.filter(kind=Kind.INCIDENT)

    def maintenances(self) -> IncidentQuerySet:
        return self.filter(kind=Kind.MAINTENANCE)

    def unresolved(self) -> IncidentQuerySet:
        """Incidents alone; a maintenance is upcoming, running or ended. What was deleted waits for nobody."""
        return self.filter(status__in=UNRESOLVED, hidden_at__isnull=True)

    def upcoming(self) -> IncidentQuerySet:
        """Maintenances that have not begun, even if their time has come."""
        return self.filter(status__in=UPCOMING)

    def running(self) -> IncidentQuerySet:
        return self.filter(status__in=RUNNING)

    def setting_components(self) -> IncidentQuerySet:
        return self.filter(set_components=True)

    def ongoing(self) -> IncidentQuerySet:
        """Unresolved incidents and running maintenances, but for those that were deleted."""
        return self.filter(status__in=ONGOING, hidden_at__isnull=True)

    def deleted(self) -> IncidentQuerySet:
        """Hidden from visitors; those that were joined with another one, too."""
        return self.filter(hidden_at__isnull=False)

    def with_public_path(self) -> IncidentQuerySet:
        """Those whose public page answers: with a report, or with the way to the one that they were joined with."""
        merged = models.Q(merged_into__isnull=False, merged_into__hidden_at__isnull=True)
        return self.filter(models.Q(hidden_at__isnull=True) | merged)

    def merged_into_any(self, merged: Collection[int]) -> IncidentQuerySet:
        """Those that were joined with any of these (primary keys)."""
        return self.filter(merged_into__in=merged)

    def merge_candidates(self, incident: Incident) -> IncidentQuerySet:
        """What `incident` can be joined with: visible ones of its page and kind, the newest first."""
        same = self.filter(page=incident.page_id, kind=incident.kind, hidden_at__isnull=True)
        return same.exclude(pk=incident.pk).order_by("-started_at", "-pk")

    def with_public_ids(self, public_ids: Collection[str]) -> IncidentQuerySet:
        return self.filter(public_id__in=public_ids)

    def with_public_id(self, public_id: str) -> Incident | None:
        return self.filter(public_id=public_id).first()

    def due_to_start(self, at: datetime) -> IncidentQuerySet:
        """Not those that were hidden: nobody would know why their components change. Nor those of which somebody wrote
        after their end, when the clock had stood still: what became of them is for people to say."""
        due = self.upcoming().filter(auto_start=True, scheduled_for__lte=at, hidden_at__isnull=True)
        return due.filter(last_update_at__lt=models.F("scheduled_until"))

    def due_to_complete(self, at: datetime) -> IncidentQuerySet:
        # Begun and not ended, which is what running means, in terms that SQLite finds an index for.
        begun = self.running().filter(began_at__isnull=False, resolved_at__isnull=True)
        return begun.filter(auto_complete=True, scheduled_until__lte=at)

    def overlapping(self, start: datetime, end: datetime) -> IncidentQuerySet:
        """Upcoming and running maintenances whose window shares a moment with this one."""
        return self.filter(resolved_at__isnull=True, scheduled_for__lt=end, scheduled_until__gt=start)

    def ahead(self) -> IncidentQuerySet:
        """Upcoming and running maintenances."""
        return self.filter(status__in=(*UPCOMING, *RUNNING))

    def planned_since(self, moment: datetime) -> IncidentQuerySet:
        """Maintenances that were to end at `moment` or later."""
        return self.filter(kind=Kind.MAINTENANCE, scheduled_until__gte=moment)

    def affecting(self, components: Collection[int]) -> IncidentQuerySet:
        """Those of whose updates one names any of these components (primary keys)."""
        return self.filter(updates__affected__component__in=components).distinct()

    def soonest_first(self) -> IncidentQuerySet:
        return self.order_by("scheduled_for", "pk")

    def with_updates(self) -> IncidentQuerySet:
        """The newest first, without the components that they name: one more query."""
        return self.prefetch_related(models.Prefetch("updates", IncidentUpdate.objects.newest_first()))

    def not_ended(self) -> IncidentQuerySet:
        """Incidents that are open, maintenances that are ahead or running: what there is more to tell of."""
        return self.exclude(status__in=ENDED)

    def ended(self) -> IncidentQuerySet:
        return self.filter(status__in=ENDED)

    def last_updated_since(self, moment: datetime) -> IncidentQuerySet:
        return self.filter(last_update_at__gte=moment)

    def titled(self, text: str) -> IncidentQuerySet:
        return self.filter(title__icontains=text)

    def matching(self, text: str) -> IncidentQuerySet:
        """Each of the words stands in the title, or is the public id."""
        incidents = self
        for word in text.split():
            incidents = incidents.filter(models.Q(title__icontains=word) | models.Q(public_id=word.lower()))
        return incidents

    def with_api_fields(self) -> IncidentQuerySet:
        """With all that the management API says of them: four queries, however many rows."""
        return self.with_details().prefetch_related("reminders")

    def started_between(self, start: datetime, end: datetime) -> IncidentQuerySet:
        """`start` included, `end` not. A maintenance counts when it began; one that has not does not count."""
        begun = models.Q(began_at__gte=start, began_at__lt=end)
        started = models.Q(began_at__isnull=True, started_at__gte=start, started_at__lt=end)
        return self.filter(begun | started).exclude(status__in=UPCOMING)

    def falling_between(self, start: datetime, end: datetime) -> IncidentQuerySet:
        """As `started_between`, with those ahead that are to start then."""
        ahead = self.filter(status__in=UPCOMING, scheduled_for__gte=start, scheduled_for__lt=end)
        return self.started_between(start, end) | ahead

    def in_status(self, status: str) -> IncidentQuerySet:
        """`cancelled` is asked for apart from `completed`."""
        if status == CANCELED:
            return self.filter(cancelled_at__isnull=False)
        return self.filter(status=status, cancelled_at__isnull=True)

    def of_impact(self, impact: str) -> IncidentQuerySet:
        return self.filter(impact=impact)

    def first_start(self) -> datetime | None:
        """When the oldest of them began."""
        first: datetime | None = self.aggregate(first=models.Min("started_at"))["first"]
        return first

    def ongoing_between(self, start: datetime, end: datetime) -> IncidentQuerySet:
        """Those that had begun and not ended at any moment from `start` to `end`; not what is only scheduled."""
        not_over = models.Q(resolved_at__isnull=True) | models.Q(resolved_at__gt=start)
        return self.filter(not_over, started_at__lt=end).exclude(status=Status.SCHEDULED)

    def in_batches(self, size: int) -> Iterator[Incident]:
        """All of them, the newest made first, `size` read at a time. Each piece is a query of its own: a cursor that
        stays open would hold SQLite to what was true when it was opened."""
        ordered = self.order_by("-pk")
        batch = list(ordered[:size])
        while batch:
            yield from batch
            batch = list(ordered.filter(pk__lt=batch[-1].pk)[:size])

    def newest_first(self) -> IncidentQuerySet:
        return self.order_by("-last_update_at", "-pk")

    def latest_first(self) -> IncidentQuerySet:
        """By when they began, whatever was written since."""
        return self.order_by("-started_at", "-pk")

    def latest_scheduled_first(self) -> IncidentQuerySet:
        return self.order_by("-scheduled_for", "-pk")

    def upcoming_first(self) -> IncidentQuerySet:
        """Upcoming maintenances by their start, then everything by its newest update."""
        start = models.Case(models.When(status__in=UPCOMING, then="scheduled_for"))
        return self.order_by(start.asc(nulls_last=True), "-last_update_at", "-pk")

    def with_details(self) -> IncidentQuerySet:
        """With postmortem and timeline: three queries, however many rows."""
        return self.select_related("postmortem").prefetch_related(timeline())


class Incident(Switches):
    """An incident or a maintenance: one model, one timeline.

    `started_at` is the display time of the first update, `last_update_at` of the newest: what history is sorted by.
    `impact_started_at` is when staff say that the impact began, if that was earlier: what analytics count from.
    `version` counts every change; a save that carries an older one is a conflict.

    Of a maintenance: `scheduled_for` and `scheduled_until` are its window, `began_at` when it really began, and
    `cancelled_at` when it was called off (it is then completed). `calendar_sequence` counts what a calendar should see
    (RFC 5545 SEQUENCE). `occurrence_on` is the local day of its `series` that it stands for, wherever it was moved.

    `hidden_at` is when it was deleted: visitors no longer see it, staff do. A duplicate is deleted too, and says by
    `merged_into` which one tells its story; that one is never itself merged.

    `metadata` is what other programs keep with it, objects by their names; `reminder_intervals` when its own team wants
    to be reminded, as Statuspage writes it (contract section 3.4).
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="incidents")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.INCIDENT)
    title = models.CharField(max_length=255)
    status = models.CharField(max_length=16, choices=Status)
    impact = models.CharField(max_length=12, choices=Impact, default=Impact.NONE)
    impact_override = models.CharField(max_length=12, choices=Impact, blank=True)
    started_at = models.DateTimeField()
    impact_started_at = models.DateTimeField(null=True, blank=True)
    monitoring_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    last_update_at = models.DateTimeField()
    scheduled_for = models.DateTimeField(null=True, blank=True)
    scheduled_until = models.DateTimeField(null=True, blank=True)
    began_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    calendar_sequence = models.PositiveIntegerField(default=0)
    series = models.ForeignKey(
        MaintenanceSeries, models.SET_NULL, null=True, blank=True, related_name="occurrences", db_index=False
    )
    occurrence_on = models.DateField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="merged")
    metadata: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True)
    reminder_intervals = models.CharField(max_length=100, blank=True)
    version = models.PositiveIntegerField(default=1)
    submission_key = models.CharField(max_length=64, null=True, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["page", "-last_update_at"], name="incident_newest"),
            models.Index(fields=["page", "-started_at"], name="incident_by_start"),
            models.Index(fields=["page"], condition=models.Q(status__in=UNRESOLVED), name="incident_unresolved"),
            models.Index(
                fields=["page", "scheduled_for"],
                condition=models.Q(scheduled_for__isnull=False, resolved_at__isnull=True),
                name="maintenance_ahead",
            ),
            models.Index(
                fields=["scheduled_for"],
                condition=models.Q(status__in=UPCOMING, auto_start=True),
                name="maintenance_to_start",
            ),
            models.Index(
                fields=["scheduled_until"],
                condition=models.Q(began_at__isnull=False, resolved_at__isnull=True, auto_complete=True),
                name="maintenance_to_complete",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind=Kind.INCIDENT)
                | models.Q(scheduled_for__isnull=False, scheduled_until__isnull=False),
                name="maintenance_has_a_window",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=Kind.INCIDENT) | models.Q(scheduled_until__gt=models.F("scheduled_for")),
                name="maintenance_ends_after_start",
            ),
            models.UniqueConstraint(fields=["series", "occurrence_on"], name="occurrence_made_once"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_resolved(self) -> bool:
        return self.status in ENDED

    @property
    def duration(self) -> timedelta | None:
        """From start to resolution; None while it goes on. A maintenance that was called off had none."""
        if self.resolved_at is None or (self.is_maintenance and self.began_at is None):
            return None
        return self.resolved_at - self.happened_at

    @property
    def is_maintenance(self) -> bool:
        return self.kind == Kind.MAINTENANCE

    @property
    def is_upcoming(self) -> bool:
        return self.status in UPCOMING

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING

    @property
    def happened_at(self) -> datetime:
        """Where it stands in the history: a maintenance when it began, all else when it was first reported."""
        return self.began_at or self.started_at

    @property
    def window(self) -> tuple[datetime, datetime]:
        """Planned start and end of a maintenance. ValueError for an incident, which has none."""
        if self.scheduled_for is None or self.scheduled_until is None:
            raise ValueError(f"{self} has no window.")
        return self.scheduled_for, self.scheduled_until

    def affected_components(self) -> list[Component]:
        """Every component that an update named, once, in page order. Reads the prefetched timeline if there is one."""
        components = {row.component_id: row.component for update in self.updates.all() for row in update.affected.all()}
        return sorted(components.values(), key=lambda component: component.place)
