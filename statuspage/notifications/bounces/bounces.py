"""Record bounces and complaints, and pause or unsubscribe subscribers. The only code that writes Bounce rows."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import transaction

from incidents.actor import SYSTEM
from incidents.models import AuditEntry
from statuspage.accounts.audit import entry, note
from statuspage.notifications.models import Bounce, BounceKind, Delivery
from statuspage.notifications.models.bounces import SOFT_DAYS
from statuspage.notifications.transports.smtp.status_codes import bounce_kind_of, find_status
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState, Suppression

COMPLAINED = "The subscriber reported an email as spam."


@transaction.atomic
def record_rejections(rejections: list[tuple[Delivery, str]]) -> None:
    """Record the deliveries that the server permanently rejected, each with its response.

    First hard bounces are recorded together, because a list of old addresses has many of them.
    """
    ids = [delivery.subscriber_id for delivery, _ in rejections if delivery.subscriber_id]
    # Locked in this order, so that two workers do not wait for each other.
    subscribers = Subscriber.objects.select_for_update().order_by("pk").in_bulk(ids)
    # Without those to staff, and those that were deleted together with their subscribers.
    rejections = [(delivery, message) for delivery, message in rejections if delivery.subscriber_id in subscribers]
    bounced = set(Bounce.objects.filter(subscriber__in=subscribers).values_list("subscriber_id", flat=True))
    created = Delivery.objects.filter(pk__among=[delivery.pk for delivery, _ in rejections])
    created_at = dict(created.values_list("pk", "created_at"))
    first: list[Bounce] = []
    for delivery, message in rejections:
        subscriber, status = subscribers[delivery.subscriber_id], find_status(message)
        is_new = subscriber.pk not in bounced and subscriber.is_active and not _is_to_owner(delivery, subscriber)
        is_fresh = subscriber.confirmed_at is None or created_at[delivery.pk] >= subscriber.confirmed_at
        if is_new and is_fresh and delivery.channel == Channel.EMAIL and bounce_kind_of(status) == BounceKind.HARD:
            bounced.add(subscriber.pk)
            bounce = Bounce(delivery=delivery, kind=BounceKind.HARD, status=status, message=message)
            bounce.subscriber = subscriber
            first.append(bounce)
    _pause_all(first)
    recorded = {bounce.delivery_id for bounce in first}
    for delivery, message in rejections:
        if delivery.pk not in recorded:
            _record_rejection(delivery, message)


def _pause_all(bounces: list[Bounce]) -> None:
    """Save first hard bounces of active subscribers, and pause these."""
    Bounce.objects.bulk_create(bounces)
    ids = defaultdict(list)
    for bounce in bounces:
        ids[bounce.message].append(bounce.subscriber_id)
    for message, same in ids.items():
        Subscriber.objects.filter(pk__among=same).pause(message)
    AuditEntry.objects.bulk_create(
        entry(bounce.subscriber.page_id, "subscriber.paused", **_details(bounce.subscriber, bounce.kind, bounce.status))
        for bounce in bounces
    )


def _record_rejection(delivery: Delivery, message: str) -> None:
    if delivery.channel != Channel.EMAIL:
        delivery.subscriber.pause(message)
        return
    status = find_status(message)
    record_bounce(delivery, bounce_kind_of(status), status=status, message=message)


@transaction.atomic
def record_bounce(delivery: Delivery, kind: BounceKind, *, status: str, message: str) -> str:
    """Record a bounce, and pause or unsubscribe the subscriber if further emails would bounce too.

    A repeated report changes nothing. Return the outcome, for the log.
    """
    # Locked, so that the second of two simultaneous reports sees the result of the first.
    subscriber = Subscriber.objects.select_for_update().get(pk=delivery.subscriber.pk)
    details = {"subscriber": subscriber, "status": status, "message": message}
    _, is_new = Bounce.objects.get_or_create(delivery=delivery, kind=kind, defaults=details)
    if not is_new:
        return "already recorded"
    if kind == BounceKind.HARD:
        _suppress(subscriber)
    if _is_to_owner(delivery, subscriber):
        return "recorded"
    if kind == BounceKind.COMPLAINT:
        return _stop(subscriber, COMPLAINED, kind, status)
    if not subscriber.is_active or _is_stale(delivery, subscriber):
        return "recorded"
    if kind == BounceKind.HARD:
        return _handle_hard_bounce(subscriber, status, message)
    if kind == BounceKind.SOFT and Bounce.objects.soft_days(subscriber) >= SOFT_DAYS:
        return _pause(
            subscriber,
            f"Emails could not be delivered on {SOFT_DAYS} days within a week. Last response: {message}",
            kind,
            status,
        )
    return "recorded"


@transaction.atomic
def record_complaint(subscriber: Subscriber, message: str) -> str:
    """Record a complaint that identifies the subscriber but not the email. Return the outcome, for the log."""
    subscriber = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if subscriber.state == SubscriberState.UNSUBSCRIBED:
        return "already recorded"
    Bounce.objects.create(subscriber=subscriber, kind=BounceKind.COMPLAINT, message=message)
    if subscriber.channel != Channel.EMAIL:
        return "recorded"
    return _stop(subscriber, COMPLAINED, BounceKind.COMPLAINT, "")


@transaction.atomic
def unsubscribe_by_provider(delivery: Delivery) -> str:
    """Unsubscribe the recipient of `delivery`, who used the unsubscribe link or list of the mail provider."""
    subscriber = Subscriber.objects.select_for_update().get(pk=delivery.subscriber.pk)
    if _is_to_owner(delivery, subscriber):
        return "ignored: an email about an endpoint"
    return _stop(subscriber, "The subscriber unsubscribed through the mail provider.", "provider", "")


def _suppress(subscriber: Subscriber) -> None:
    if until := Bounce.objects.suppressed_until(subscriber):
        Suppression.objects.update_or_create(subscriber=subscriber, defaults={"until": until})


def _is_to_owner(delivery: Delivery, subscriber: Subscriber) -> bool:
    """Return whether it is an email about an endpoint. Anyone can request one for any address, so it does not count."""
    return delivery.channel != subscriber.channel


def _is_stale(delivery: Delivery, subscriber: Subscriber) -> bool:
    """Return whether it was sent before the last confirmation, which has proved since that the address works."""
    return subscriber.confirmed_at is not None and delivery.created_at < subscriber.confirmed_at


def _handle_hard_bounce(subscriber: Subscriber, status: str, message: str) -> str:
    if Bounce.objects.hard().before_confirming(subscriber).exists():
        return _stop(subscriber, f"Rejected again after a new confirmation: {message}", BounceKind.HARD, status)
    return _pause(subscriber, message, BounceKind.HARD, status)


def _pause(subscriber: Subscriber, reason: str, because: str, status: str) -> str:
    subscriber.pause(reason)
    _note(subscriber, "subscriber.paused", because, status)
    return "paused"


def _stop(subscriber: Subscriber, reason: str, because: str, status: str) -> str:
    subscriber.unsubscribe(because=reason)
    _note(subscriber, "subscriber.unsubscribed", because, status)
    return "unsubscribed"


def _note(subscriber: Subscriber, verb: str, because: str, status: str) -> None:
    note(subscriber.page, verb, **_details(subscriber, because, status))


def _details(subscriber: Subscriber, because: str, status: str) -> dict[str, Any]:
    """Return what an audit entry contains, without the server's message: it can contain the address, and entries are
    never deleted."""
    target = {"object_type": "subscriber", "object_ref": subscriber.public_id}
    return {"actor": SYSTEM, **target, "because": str(because), "status": status}
