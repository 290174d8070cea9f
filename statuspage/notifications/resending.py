"""Sending settled deliveries once more, at the request of staff. Each function is one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from incidents.actor import Actor
from incidents.models import Event
from statuspage.accounts.audit import note
from statuspage.notifications.models import Delivery
from statuspage.subscribers.endpoints import note_action


@transaction.atomic
def replay(delivery: Delivery, *, actor: Actor) -> bool:
    """Send a settled delivery again, under the same id. Return False if it is still queued."""
    if not delivery.replay():
        return False
    note_action(delivery.subscriber, "delivery.replayed", actor, delivery=delivery.pk)
    return True


@dataclass(frozen=True)
class RetryResult:
    """The number of failed deliveries that were queued again, and of those that were skipped."""

    requeued: int
    skipped: int


@transaction.atomic
def retry_failed(event: Event, *, actor: Actor, only: int | None = None) -> RetryResult:
    """Queue all failed deliveries of `event`, or the one with the primary key `only`, from their first attempt on.

    Skips paused and unsubscribed recipients, and recipients of a later update: "resolved" never arrives before
    "investigating".
    """
    failed = Delivery.objects.of_event(event).failed()
    failed = failed.filter(pk=only) if only else failed
    total = failed.count()
    requeued = failed.worth_retrying().requeue()
    if requeued:
        target = {"object_type": "event", "object_ref": str(event.pk)}
        note(event.page, "deliveries.retried", actor=actor, **target, count=requeued)
    return RetryResult(requeued, total - requeued)
