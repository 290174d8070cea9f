"""Removing old deliveries. Their numbers by event and state are kept."""

from collections import Counter
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from statuspage.notifications.models import Delivery, DeliveryTotal
from statuspage.subscribers.models.database_time import from_now


def expired_deliveries(age: timedelta) -> QuerySet[Delivery]:
    """Return settled deliveries created longer than `age` ago whose event is fanned out completely.

    The rows before the first newer one are selected by primary key: `created_at` has no index.
    """
    limit = from_now(-age)
    newer = Delivery.objects.filter(created_at__gte=limit).order_by("pk").values_list("pk", flat=True).first()
    fanned_out = Q(event__isnull=True) | Q(event__fanned_out_at__isnull=False)
    rows = Delivery.objects.settled().filter(fanned_out, created_at__lt=limit)
    return rows.filter(pk__lt=newer) if newer else rows


@transaction.atomic
def remove_deliveries(expired: QuerySet[Delivery], limit: int) -> int:
    """Delete the oldest `limit` deliveries and add them to the totals of their events. Return how many.

    The oldest first: while a failed delivery exists, the deliveries that make a retry unnecessary exist too.
    """
    rows = expired.order_by("pk").select_for_update(skip_locked=True, of=("self",))
    removed = list(rows.values_list("pk", "event_id", "state", "incident_id")[:limit])
    DeliveryTotal.objects.add(Counter((event, state) for _, event, state, incident in removed if event and incident))
    Delivery.objects.filter(pk__among=[pk for pk, *_ in removed]).delete()
    return len(removed)
