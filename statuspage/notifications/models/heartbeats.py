from __future__ import annotations

import os
import socket
from datetime import timedelta

from django.db import models
from django.db.models import ExpressionWrapper
from django.db.models.functions import Now

from incidents import clock
from statuspage.subscribers.models.database_time import from_now

# The row that the write probe writes. It belongs to no process.
PROBE = "probe"
HEARTBEAT_RETENTION = timedelta(days=1)


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def beat(self, process: str, *, instance: str = "") -> None:
        """Record that this process is alive now, and how far its clock is off. `process` is its type (dispatcher)."""
        instance = instance or f"{socket.gethostname()}:{os.getpid()}"
        offset = clock.synchronize().total_seconds()
        self.bulk_create(
            [Heartbeat(process=process, instance=instance, at=Now(), clock_offset=offset)],
            update_conflicts=True,
            unique_fields=["process", "instance"],
            update_fields=["at", "clock_offset"],
        )

    def is_alive(self, process: str, *, within: timedelta = timedelta(seconds=90)) -> bool:
        """Return whether any instance of `process` recorded a heartbeat `within` that time."""
        return self.filter(process=process, at__gte=from_now(-within)).exists()

    def age_of(self, process: str) -> float | None:
        """Return the seconds since the last heartbeat of any instance of `process`, by the database clock, or None."""
        ages = self.filter(process=process).annotate(
            age=ExpressionWrapper(Now() - models.F("at"), output_field=models.DurationField())
        )
        age: timedelta | None = ages.aggregate(least=models.Min("age"))["least"]
        return None if age is None else round(age.total_seconds(), 1)

    def recorded(self, *, within: timedelta) -> HeartbeatQuerySet:
        """Return the heartbeats that were recorded `within` that time: of processes that run."""
        return self.filter(at__gte=from_now(-within))

    def ages(self) -> list[tuple[str, str, timedelta, float]]:
        """Return process, instance, age by the database's clock and clock offset of the newest 500 heartbeats."""
        age = ExpressionWrapper(Now() - models.F("at"), output_field=models.DurationField())
        rows = self.exclude(process=PROBE).annotate(age=age).order_by("-at")
        return list(rows.values_list("process", "instance", "age", "clock_offset")[:500])

    def last_of(self, process: str) -> Heartbeat | None:
        return self.filter(process=process).order_by("-at").first()

    def expired(self) -> HeartbeatQuerySet:
        """Return the rows of processes that ended more than a day ago."""
        return self.filter(at__lt=from_now(-HEARTBEAT_RETENTION))


class Heartbeat(models.Model):
    """When each process was last alive, by the database clock. Staff see outdated heartbeats as a problem."""

    process = models.CharField(max_length=20)
    instance = models.CharField(max_length=255)
    at = models.DateTimeField()
    # Seconds by which the clock of the process is ahead of the database's.
    clock_offset = models.FloatField(default=0)

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["process", "instance"], name="heartbeat_once_per_instance")]

    def __str__(self) -> str:
        return f"{self.process} {self.instance}"
