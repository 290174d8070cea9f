"""How many deliveries are due and not sent yet, for monitoring."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Value
from django.db.models.functions import Now

from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Channel

# On each channel, no more than so many are counted: the first in the order of sending.
LIMIT = 100_000


@dataclass(frozen=True)
class Waiting:
    """`oldest_seconds`: for how long the oldest delivery has been due, or 0."""

    count: int
    oldest_seconds: float


def waiting_by_channel() -> dict[str, Waiting]:
    """Return what waits on each channel. One query, which reads only the index of queued rows."""
    due_for = ExpressionWrapper(Now() - F("next_attempt_at"), output_field=DurationField())
    channels = []
    for channel in Channel.values:
        due = Delivery.objects.queued().filter(channel=channel, priority__gte=0, next_attempt_at__lte=Now())
        first = due.order_by("priority", "next_attempt_at").values("pk")[:LIMIT]
        grouped = Delivery.objects.filter(pk__in=first).order_by().values(name=Value(channel))
        channels.append(grouped.annotate(count=Count("pk"), age=Max(due_for)).values_list("name", "count", "age"))
    rows = channels[0].union(*channels[1:], all=True)
    return {name: Waiting(count, age.total_seconds() if age else 0.0) for name, count, age in rows}
