"""Messages to endpoints themselves (tests and challenges), and what the response to a message leads to.

Each function is one transaction.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction

from incidents.actor import Actor
from statuspage.notifications.models import Delivery, DeliveryKind, Priority
from statuspage.notifications.transports.base import TransportError
from statuspage.subscribers import endpoints
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState

# After a failure nothing is sent to the endpoint until the next attempt is due, but for no longer than this.
LONGEST_PAUSE = timedelta(minutes=5)
# Spreads the retries of endpoints that failed together.
JITTER = 0.2


@transaction.atomic
def resume(subscriber: Subscriber, *, actor: Actor) -> None:
    """Resume sending to it, starting with the waiting deliveries. ValidationError if it was removed."""
    endpoints.resume(subscriber, actor=actor)
    Delivery.objects.make_due(subscriber)


@transaction.atomic
def send_test(subscriber: Subscriber, *, actor: Actor) -> None:
    """Queue a test message. Unsent ones are canceled."""
    _queue(subscriber, DeliveryKind.TEST)
    endpoints.note_action(subscriber, "endpoint.tested", actor)


@transaction.atomic
def challenge(subscriber: Subscriber) -> None:
    """Queue the verification request to an endpoint whose owner has confirmed by email.

    Does nothing while staff has the endpoint paused.
    """
    if not subscriber.start_verification():
        return
    if not subscriber.secret:
        Subscriber.objects.filter(pk=subscriber.pk).update(secret=endpoints.new_secret(), secret_shown_at=None)
    _queue(subscriber, DeliveryKind.CHALLENGE)


def accepted(delivery: Delivery) -> None:
    """Record that the endpoint accepted `delivery`. After earlier failures, waiting deliveries become due now."""
    subscriber = delivery.subscriber
    if delivery.kind == DeliveryKind.CHALLENGE:
        subscriber.finish_verification()
    if subscriber.failures:
        with transaction.atomic():
            subscriber.record_success()
            Delivery.objects.make_due(subscriber)


@transaction.atomic
def refused(delivery: Delivery, error: TransportError, *, waits: Sequence[timedelta]) -> None:
    """Retry after the next of `waits`, or fail. An endpoint that used up all retries is disabled."""
    attempts = delivery.attempts + 1
    if error.permanent:
        delivery.fail(str(error))
    elif attempts > len(waits):
        delivery.fail(f"Failed after {attempts} attempts. Last response: {error}" if waits else str(error))
    else:
        wait = max(waits[attempts - 1] * random.uniform(1, 1 + JITTER), error.after or timedelta())
        delivery.defer(str(error), after=wait)
        delivery.subscriber.back_off(max(min(wait, LONGEST_PAUSE), error.after or timedelta()))
        return
    if delivery.kind == DeliveryKind.EVENT:
        _disable(delivery.subscriber, f"{error}" if error.permanent else f"It failed {attempts} times: {error}")


def _disable(subscriber: Subscriber, reason: str) -> None:
    """Pause it and email its owner, if known. The console shows it to staff."""
    subscriber.pause(reason)
    if subscriber.state == SubscriberState.PAUSED and subscriber.email:
        _queue(subscriber, DeliveryKind.ENDPOINT_DISABLED, channel=Channel.EMAIL)


def _queue(subscriber: Subscriber, kind: DeliveryKind, *, channel: str = "") -> None:
    Delivery.objects.replace_requests([subscriber.pk])
    Delivery.objects.create(
        kind=kind, subscriber=subscriber, channel=channel or subscriber.channel, priority=Priority.URGENT
    )
