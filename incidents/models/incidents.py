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
        """Incidents only (a maintenance is upcoming, running or ended), without deleted ones."""
        return self.filter(status__in=UNRESOLVED, hidden_at__isnull=True)

    def upcoming(self) -> IncidentQuerySet:
        """Maintenances that have not started, even if their start time has passed."""
        return self.filter(status__in=UPCOMING)

    def running(self) -> IncidentQuerySet:
        return self.filter(status__in=RUNNING)

    def setting_components(self) -> IncidentQuerySet:
        return self.filter(set_components=True)

    def ongoing(self) -> IncidentQuerySet:
        """Unresolved incidents and running maintenances, without deleted ones."""
        return self.filter(status__in=ONGOING, hidden_at__isnull=True)

    def count_ongoing(self) -> list[tuple[str, str, str, int]]:
        """Return rows of page (public id), kind, impact and number of ongoing incidents and maintenances."""
        rows = self.ongoing().order_by().values_list("page__public_id", "kind", "impact")
        return list(rows.annotate(number=models.Count("pk")))

    def deleted(self) -> IncidentQuerySet:
        """Hidden from visitors, including those merged into another incident."""
        return self.filter(hidden_at__isnull=False)

    def with_public_path(self) -> IncidentQuerySet:
        """Incidents with a public page, which redirects if the incident was merged."""
        merged = models.Q(merged_into__isnull=False, merged_into__hidden_at__isnull=True)
        return self.filter(models.Q(hidden_at__isnull=True) | merged)

    def merged_into_any(self, merged: Collection[int]) -> IncidentQuerySet:
        """Incidents that were merged into any of these (primary keys)."""
        return self.filter(merged_into__in=merged)

    def merge_candidates(self, incident: Incident) -> IncidentQuerySet:
        """Incidents that `incident` can be merged into: visible ones of its page and kind, newest first."""
        same = self.filter(page=incident.page_id, kind=incident.kind, hidden_at__isnull=True)
        return same.exclude(pk=incident.pk).order_by("-started_at", "-pk")

    def with_public_ids(self, public_ids: Collection[str]) -> IncidentQuerySet:
        return self.filter(public_id__in=public_ids)

    def with_public_id(self, public_id: str) -> Incident | None:
        return self.filter(public_id=public_id).first()

    def due_to_start(self, at: datetime) -> IncidentQuerySet:
        """Maintenances to start at `at`.

        Excludes hidden ones, because their effect on components would be unexplained, and those with an update after
        their planned end (the dispatcher was not running): staff decide about these.
        """
        due = self.upcoming().filter(auto_start=True, scheduled_for__lte=at, hidden_at__isnull=True)
        return due.filter(last_update_at__lt=models.F("scheduled_until"))

    def due_to_complete(self, at: datetime) -> IncidentQuerySet:
        # Equivalent to running, but written so that SQLite can use an index.
        begun = self.running().filter(began_at__isnull=False, resolved_at__isnull=True)
        return begun.filter(auto_complete=True, scheduled_until__lte=at)

    def overlapping(self, start: datetime, end: datetime) -> IncidentQuerySet:
        """Upcoming and running maintenances whose window overlaps this one."""
        return self.filter(resolved_at__isnull=True, scheduled_for__lt=end, scheduled_until__gt=start)

    def ahead(self) -> IncidentQuerySet:
        """Upcoming and running maintenances."""
        return self.filter(status__in=(*UPCOMING, *RUNNING))

    def planned_since(self, moment: datetime) -> IncidentQuerySet:
        """Maintenances that were to end at `moment` or later."""
        return self.filter(kind=Kind.MAINTENANCE, scheduled_until__gte=moment)

    def affecting(self, components: Collection[int]) -> IncidentQuerySet:
        """Incidents with an update that affects any of these components (primary keys)."""
        return self.filter(updates__affected__component__in=components).distinct()

    def soonest_first(self) -> IncidentQuerySet:
        return self.order_by("scheduled_for", "pk")

    def with_updates(self) -> IncidentQuerySet:
        """Prefetch the updates, newest first, without their components. One more query."""
        return self.prefetch_related(models.Prefetch("updates", IncidentUpdate.objects.newest_first()))

    def not_ended(self) -> IncidentQuerySet:
        """Unresolved incidents, and upcoming and running maintenances."""
        return self.exclude(status__in=ENDED)

    def ended(self) -> IncidentQuerySet:
        return self.filter(status__in=ENDED)

    def last_updated_since(self, moment: datetime) -> IncidentQuerySet:
        return self.filter(last_update_at__gte=moment)

    def titled(self, text: str) -> IncidentQuerySet:
        return self.filter(title__icontains=text)

    def matching(self, text: str) -> IncidentQuerySet:
        """Incidents where every word of `text` is in the title or equals the public ID."""
        incidents = self
        for word in text.split():
            incidents = incidents.filter(models.Q(title__icontains=word) | models.Q(public_id=word.lower()))
        return incidents

    def with_api_fields(self) -> IncidentQuerySet:
        """Load all fields of the management API. Four queries for any number of rows."""
        return self.with_details().prefetch_related("reminders")

    def started_between(self, start: datetime, end: datetime) -> IncidentQuerySet:
        """Started from `start` (inclusive) to `end` (exclusive). Maintenances count from their actual start."""
        begun = models.Q(began_at__gte=start, began_at__lt=end)
        started = models.Q(began_at__isnull=True, started_at__gte=start, started_at__lt=end)
        return self.filter(begun | started).exclude(status__in=UPCOMING)

    def falling_between(self, start: datetime, end: datetime) -> IncidentQuerySet:
        """Like `started_between`, plus upcoming maintenances scheduled to start in that time."""
        ahead = self.filter(status__in=UPCOMING, scheduled_for__gte=start, scheduled_for__lt=end)
        return self.started_between(start, end) | ahead

    def in_status(self, status: str) -> IncidentQuerySet:
        """Filter by status. `cancelled` is separate from `completed`."""
        if status == CANCELED:
            return self.filter(cancelled_at__isnull=False)
        return self.filter(status=status, cancelled_at__isnull=True)

    def of_impact(self, impact: str) -> IncidentQuerySet:
        return self.filter(impact=impact)

    def first_start(self) -> datetime | None:
        """Return when the oldest one started."""
        first: datetime | None = self.aggregate(first=models.Min("started_at"))["first"]
        return first

    def ongoing_between(self, start: datetime, end: datetime) -> IncidentQuerySet:
        """Incidents that were ongoing at any time from `start` to `end`. Excludes scheduled maintenances."""
        not_over = models.Q(resolved_at__isnull=True) | models.Q(resolved_at__gt=start)
        return self.filter(not_over, started_at__lt=end).exclude(status=Status.SCHEDULED)

    def in_batches(self, size: int) -> Iterator[Incident]:
        """Yield all of them, most recently created first, in one query per `size` rows.

        One open cursor would keep a read transaction open on SQLite.
        """
        ordered = self.order_by("-pk")
        batch = list(ordered[:size])
        while batch:
            yield from batch
            batch = list(ordered.filter(pk__lt=batch[-1].pk)[:size])

    def newest_first(self) -> IncidentQuerySet:
        return self.order_by("-last_update_at", "-pk")

    def latest_first(self) -> IncidentQuerySet:
        """By start, regardless of later updates."""
        return self.order_by("-started_at", "-pk")

    def latest_scheduled_first(self) -> IncidentQuerySet:
        return self.order_by("-scheduled_for", "-pk")

    def upcoming_first(self) -> IncidentQuerySet:
        """Upcoming maintenances by their start, then everything by its newest update."""
        start = models.Case(models.When(status__in=UPCOMING, then="scheduled_for"))
        return self.order_by(start.asc(nulls_last=True), "-last_update_at", "-pk")

    def with_details(self) -> IncidentQuerySet:
        """Load postmortem and updates. Three queries for any number of rows."""
        return self.select_related("postmortem").prefetch_related(timeline())


class Incident(Switches):
    """An incident or a maintenance.

    `started_at` is the display time of the first update, `last_update_at` that of the newest, which sorts the history.
    `impact_started_at` is an earlier start of the impact, if staff entered one; analytics use it. Every change
    increments `version`; saving with an older version is a conflict.

    Maintenances: `scheduled_for` and `scheduled_until` are the window, `began_at` is the actual start, and
    `cancelled_at` is set if it was canceled (its status is then completed). `calendar_sequence` is the RFC 5545
    SEQUENCE. `occurrence_on` is the local day in its `series` that it belongs to, even if it was moved.

    `hidden_at` is set when it is deleted: staff still see it, visitors do not. A duplicate is deleted too, and
    `merged_into` is the incident that replaces it, which is never merged itself.

    `metadata` holds objects of other programs by name. `reminder_intervals` is the reminder schedule for staff in
    Statuspage's format (contract section 3.4).
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
            # Not partial: SQLite does not use a partial index for a condition with parameters.
            models.Index(fields=["page", "status"], name="incident_by_status"),
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
        """Return the time from start to resolution; None while ongoing, or if canceled before the start."""
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
        """Return its time in the history: the actual start of a maintenance, otherwise the first report."""
        return self.began_at or self.started_at

    @property
    def window(self) -> tuple[datetime, datetime]:
        """Return the planned start and end of a maintenance. ValueError for an incident."""
        if self.scheduled_for is None or self.scheduled_until is None:
            raise ValueError(f"{self} has no window.")
        return self.scheduled_for, self.scheduled_until

    def affected_components(self) -> list[Component]:
        """Return all components that its updates affect, in page order. Uses prefetched updates."""
        components = {row.component_id: row.component for update in self.updates.all() for row in update.affected.all()}
        return sorted(components.values(), key=lambda component: component.sort_key)
