"""What a mail that came back means for its subscriber. The only writer of Bounce rows."""

from __future__ import annotations

from django.db import transaction

from incidents.actor import SYSTEM
from statuspage.accounts.audit import note
from statuspage.notifications.models import Bounce, BounceKind, Delivery
from statuspage.notifications.models.bounces import SOFT_DAYS
from statuspage.notifications.transports.smtp.status_codes import bounce_kind_of, find_status
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState, Suppression

COMPLAINED = "They reported a mail as spam."


def refused(delivery: Delivery, message: str) -> None:
    """The other side would not take `delivery` for good, and said so at once."""
    if delivery.subscriber_id is None:
        return
    if delivery.channel != Channel.EMAIL:
        delivery.subscriber.pause(message)
        return
    status = find_status(message)
    came_back(delivery, bounce_kind_of(status), status=status, message=message)


@transaction.atomic
def came_back(delivery: Delivery, kind: BounceKind, *, status: str, message: str) -> str:
    """Record it, and spare the subscriber's address (and our name) what would come back too. A repeated report
    changes nothing. Returns what followed, for the log."""
    # Locked: of two reports at once, the second must see what the first one did.
    subscriber = Subscriber.objects.select_for_update().get(pk=delivery.subscriber.pk)
    details = {"subscriber": subscriber, "status": status, "message": message}
    _, is_new = Bounce.objects.get_or_create(delivery=delivery, kind=kind, defaults=details)
    if not is_new:
        return "known already"
    if kind == BounceKind.HARD:
        _suppress(subscriber)
    if _is_to_owner(delivery, subscriber):
        return "recorded"
    if kind == BounceKind.COMPLAINT:
        return _stop(subscriber, COMPLAINED, kind, status)
    if not subscriber.is_active or _is_stale(delivery, subscriber):
        return "recorded"
    if kind == BounceKind.HARD:
        return _refused_for_good(subscriber, status, message)
    if kind == BounceKind.SOFT and Bounce.objects.soft_days(subscriber) >= SOFT_DAYS:
        return _pause(subscriber, f"Given up on {SOFT_DAYS} days within a week. Last answer: {message}", kind, status)
    return "recorded"


@transaction.atomic
def complained(subscriber: Subscriber, message: str) -> str:
    """A complaint that names its sender but not the mail. Returns what followed, for the log."""
    subscriber = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if subscriber.state == SubscriberState.UNSUBSCRIBED:
        return "known already"
    Bounce.objects.create(subscriber=subscriber, kind=BounceKind.COMPLAINT, message=message)
    if subscriber.channel != Channel.EMAIL:
        return "recorded"
    return _stop(subscriber, COMPLAINED, BounceKind.COMPLAINT, "")


@transaction.atomic
def left_elsewhere(delivery: Delivery) -> str:
    """They unsubscribed through the provider's own link or list."""
    subscriber = Subscriber.objects.select_for_update().get(pk=delivery.subscriber.pk)
    if _is_to_owner(delivery, subscriber):
        return "ignored: a mail about an endpoint"
    return _stop(subscriber, "They unsubscribed through the mail provider.", "provider", "")


def _suppress(subscriber: Subscriber) -> None:
    if until := Bounce.objects.suppressed_until(subscriber):
        Suppression.objects.update_or_create(subscriber=subscriber, defaults={"until": until})


def _is_to_owner(delivery: Delivery, subscriber: Subscriber) -> bool:
    """A mail about an endpoint. Anybody can have one sent, to any address: it says nothing of the endpoint."""
    return delivery.channel != subscriber.channel


def _is_stale(delivery: Delivery, subscriber: Subscriber) -> bool:
    """Sent before the present confirmation, which has shown since that the address works."""
    return subscriber.confirmed_at is not None and delivery.created_at < subscriber.confirmed_at


def _refused_for_good(subscriber: Subscriber, status: str, message: str) -> str:
    if Bounce.objects.hard().before_confirming(subscriber).exists():
        return _stop(subscriber, f"Refused again after they had confirmed anew: {message}", BounceKind.HARD, status)
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
    """Without the server's answer: they may hold the address, and the audit log is kept for ever."""
    about = {"object_type": "subscriber", "object_ref": subscriber.public_id}
    note(subscriber.page, verb, actor=SYSTEM, **about, because=str(because), status=status)
