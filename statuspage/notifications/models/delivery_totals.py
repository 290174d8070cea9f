from __future__ import annotations

from collections import Counter

from django.db import connection, models

from incidents.models import Event
from statuspage.notifications.models.delivery_states import DeliveryState

_ADD = """
    INSERT INTO notifications_deliverytotal (event_id, state, "count") VALUES (%s, %s, %s)
    ON CONFLICT (event_id, state) DO UPDATE SET "count" = notifications_deliverytotal."count" + excluded."count"
"""


class DeliveryTotalQuerySet(models.QuerySet["DeliveryTotal"]):
    def add(self, removed: Counter[tuple[int, str]]) -> None:
        """Add numbers of removed deliveries by event and state. Sorted, so that two callers cannot deadlock."""
        with connection.cursor() as cursor:
            cursor.executemany(_ADD, [(*key, number) for key, number in sorted(removed.items())])


class DeliveryTotal(models.Model):
    """The number of deliveries of an event that were removed in a certain state. Added to the number of rows."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="delivery_totals", db_index=False)
    state = models.CharField(max_length=10, choices=DeliveryState)
    count = models.PositiveIntegerField()

    objects = DeliveryTotalQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "state"], name="delivery_total_once_per_state")]

    def __str__(self) -> str:
        return f"{self.count} {self.state}"
