"""What only maintenances have: options, reminders, and the series that they may belong to."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.utils import timezone

from incidents.models.base import new_public_id
from incidents.models.components import Component
from incidents.models.pages import Page

SWITCHES = (
    "auto_start",
    "auto_complete",
    "set_components",
    "restore_components",
    "notify_start",
    "notify_end",
)


class Switches(models.Model):
    """The automatic steps of a maintenance, each with its own switch."""

    auto_start = models.BooleanField(default=True)
    auto_complete = models.BooleanField(default=True)
    set_components = models.BooleanField(default=True)
    restore_components = models.BooleanField(default=True)
    notify_start = models.BooleanField(default=True)
    notify_end = models.BooleanField(default=True)

    class Meta:
        abstract = True


class MaintenanceSeriesQuerySet(models.QuerySet["MaintenanceSeries"]):
    def active(self) -> MaintenanceSeriesQuerySet:
        """Series that have not ended."""
        return self.filter(ended_at__isnull=True)

    def due_to_refill(self, at: datetime) -> MaintenanceSeriesQuerySet:
        """Those of whose next occurrences one has begun, so that another one is to be put on the page."""
        return self.active().filter(refill_at__lte=at).order_by("refill_at", "pk")

    def newest_first(self) -> MaintenanceSeriesQuerySet:
        return self.order_by("-pk")


class MaintenanceSeries(Switches):
    """A maintenance that repeats: `rule` (RFC 5545 RRULE) from `starts_on` at `start_time`, both local to `time_zone`.

    The next occurrences are kept on the page as maintenances of their own; `refill_at` is when another one is needed,
    null if the rule has no more. `duration` is real time, `reminders` are minutes before the start.
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="maintenance_series")
    title = models.CharField(max_length=255)
    body = models.TextField()
    rule = models.CharField(max_length=500)
    starts_on = models.DateField()
    start_time = models.TimeField()
    time_zone = models.CharField(max_length=64)
    duration = models.DurationField()
    components = models.ManyToManyField(Component, related_name="maintenance_series", blank=True)
    reminders: models.JSONField[list[int], list[int]] = models.JSONField(default=list)
    refill_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    submission_key = models.CharField(max_length=64, null=True, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = MaintenanceSeriesQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["refill_at"],
                condition=models.Q(refill_at__isnull=False, ended_at__isnull=True),
                name="series_to_refill",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(duration__gt=timedelta(0)), name="series_lasts_a_while"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def starts_at(self) -> datetime:
        """Naive: the wall clock of `time_zone`."""
        return datetime.combine(self.starts_on, self.start_time)


class MaintenanceReminderQuerySet(models.QuerySet["MaintenanceReminder"]):
    def waiting(self) -> MaintenanceReminderQuerySet:
        return self.filter(sent_at__isnull=True, skipped_at__isnull=True)

    def due(self, at: datetime) -> MaintenanceReminderQuerySet:
        return self.waiting().filter(due_at__lte=at).select_related("incident__page").order_by("due_at", "pk")


class MaintenanceReminder(models.Model):
    """A reminder that subscribers receive some minutes before a maintenance begins.

    `skipped_at`: it was not sent, because the maintenance had begun, was cancelled, or was scheduled later than that.
    """

    incident = models.ForeignKey("incidents.Incident", models.CASCADE, related_name="reminders")
    minutes_before = models.PositiveIntegerField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    skipped_at = models.DateTimeField(null=True, blank=True)

    objects = MaintenanceReminderQuerySet.as_manager()

    class Meta:
        ordering = ["-minutes_before"]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(sent_at__isnull=True, skipped_at__isnull=True),
                name="reminder_waiting",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["incident", "minutes_before"], name="reminded_once_per_lead"),
        ]

    def __str__(self) -> str:
        return f"{self.minutes_before} minutes before {self.incident}"
