"""How many deliveries are due and not sent yet, for monitoring."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Min
from django.db.models.functions import Now

from incidents import clock
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
    """Return what waits on each channel. One query per channel, which reads only the index of queued rows."""
    return {channel: _waiting(channel) for channel in Channel.values}


def _waiting(channel: str) -> Waiting:
    due = Delivery.objects.queued().filter(channel=channel, priority__gte=0, next_attempt_at__lte=Now())
    first = due.order_by("priority", "next_attempt_at").values("next_attempt_at")[:LIMIT]
    row = first.aggregate(count=Count("next_attempt_at"), oldest=Min("next_attempt_at"))
    return Waiting(row["count"], (clock.now() - row["oldest"]).total_seconds() if row["oldest"] else 0.0)
