"""The verbs about endpoints: adding and removing them, their secrets, and what their answers lead to.

Each is one transaction. What staff does leaves an entry in the audit log, which names no address and no secret.
"""

from __future__ import annotations

import base64
import random
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from incidents.actor import Actor
from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.notifications.models import Delivery, DeliveryKind, Priority
from statuspage.notifications.transports.base import TransportError
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.models.subscribers import BY_STAFF

SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix (Standard Webhooks), not a secret
# After a rotation, messages carry both signatures for so long.
OLD_SECRET_KEPT = timedelta(hours=24)
# The breaker: after a failure nothing is tried at an endpoint until the next attempt is due, but no longer than this.
LONGEST_REST = timedelta(minutes=5)
# No two endpoints that failed together are tried again together.
JITTER = 0.2


def new_secret() -> str:
    """192 random bits, as the Standard Webhooks specification writes them."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


@transaction.atomic
def add(
    page: Page, channel: str, *, endpoint: str, actor: Actor, secret: str = "", name: str = "", email: str = ""
) -> Subscriber:
    """One that staff vouches for, active at once. `endpoint` and `secret` as the channel's transport checked them.

    ValidationError for what is on the list already, and for a webhook whose owner signed it up and has left.
    """
    about = {"name": name, "secret": new_secret() if channel == Channel.WEBHOOK else secret}
    try:
        with transaction.atomic():
            subscriber = Subscriber.objects.create(page=page, channel=channel, endpoint=endpoint, email=email, **about)
    except IntegrityError:
        known = Subscriber.objects.select_for_update()
        subscriber = known.get(page=page, channel=channel, endpoint=endpoint, email=email)
        if subscriber.state != SubscriberState.UNSUBSCRIBED:
            raise ValidationError({"endpoint": "This is on the list already."}) from None
        if subscriber.confirmation_sent_at:
            left = "Its owner had signed it up, and it was unsubscribed. Only they can sign it up again."
            raise ValidationError({"endpoint": left}) from None
        Subscriber.objects.filter(pk=subscriber.pk).update(**about, secret_shown_at=None)
    subscriber.confirm()
    _note(subscriber, "endpoint.added", actor, channel=channel)
    return subscriber


@transaction.atomic
def resume(subscriber: Subscriber, *, actor: Actor) -> None:
    """Staff says that it works again. ValidationError once it is removed: what it was called with is forgotten."""
    # Locked: whoever removes it at the same moment is seen here, or comes after.
    locked = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if locked.state == SubscriberState.UNSUBSCRIBED:
        raise ValidationError("This endpoint has been removed, so it cannot be resumed.")
    subscriber.works()
    subscriber.confirm()
    Delivery.objects.hasten(subscriber)
    _note(subscriber, "endpoint.resumed", actor)


@transaction.atomic
def pause(subscriber: Subscriber, *, actor: Actor) -> None:
    subscriber.pause(f"{BY_STAFF}{actor.label}.")
    _note(subscriber, "endpoint.paused", actor)


@transaction.atomic
def remove(subscriber: Subscriber, *, actor: Actor) -> None:
    """The row stays, for its history; what it could be called with is forgotten."""
    subscriber.unsubscribe()
    Subscriber.objects.filter(pk=subscriber.pk).update(
        secret="", old_secret="", old_secret_until=None, paused_reason=""
    )
    _note(subscriber, "endpoint.removed", actor)


@transaction.atomic
def rotate_secret(subscriber: Subscriber, *, actor: Actor | None = None) -> str:
    """A new secret, to be shown once. The old one signs beside it for OLD_SECRET_KEPT, if anybody ever saw it."""
    now = timezone.now()
    if subscriber.secret_shown_at:
        subscriber.old_secret, subscriber.old_secret_until = subscriber.secret, now + OLD_SECRET_KEPT
    subscriber.secret, subscriber.secret_shown_at = new_secret(), now
    subscriber.save(update_fields=["secret", "secret_shown_at", "old_secret", "old_secret_until"])
    if actor:
        _note(subscriber, "endpoint.secret", actor)
    return subscriber.secret


@transaction.atomic
def show_secret(subscriber: Subscriber) -> str:
    """The first secret, once; empty ever after, however many ask at the same moment."""
    unseen = Subscriber.objects.filter(pk=subscriber.pk, secret_shown_at__isnull=True)
    shown = unseen.update(secret_shown_at=timezone.now())
    subscriber.refresh_from_db()
    return subscriber.secret if shown else ""


@transaction.atomic
def send_test(subscriber: Subscriber, *, actor: Actor) -> None:
    """Owe it a test message. Unsent ones before it are cancelled."""
    _owe(subscriber, DeliveryKind.TEST)
    _note(subscriber, "endpoint.tested", actor)


@transaction.atomic
def challenge(subscriber: Subscriber) -> None:
    """Its owner's mail is confirmed: ask the endpoint whether it wants to hear from us, before anything else.
    Nothing happens while staff has it paused."""
    if not subscriber.await_answer():
        return
    if not subscriber.secret:
        Subscriber.objects.filter(pk=subscriber.pk).update(secret=new_secret(), secret_shown_at=None)
    _owe(subscriber, DeliveryKind.CHALLENGE)


@transaction.atomic
def replay(delivery: Delivery, *, actor: Actor) -> bool:
    """Send a settled delivery once more, under the same id. False if it is still waiting anyway."""
    if not delivery.replay():
        return False
    _note(delivery.subscriber, "delivery.replayed", actor, delivery=delivery.pk)
    return True


def accepted(delivery: Delivery) -> None:
    """The endpoint took it. If it had failed before, what waits for it is due now. Usually there is nothing to do."""
    if delivery.kind == DeliveryKind.CHALLENGE:
        delivery.subscriber.answered()
    if delivery.subscriber.failures:
        with transaction.atomic():
            delivery.subscriber.works()
            Delivery.objects.hasten(delivery.subscriber)


@transaction.atomic
def refused(delivery: Delivery, error: TransportError, *, waits: Sequence[timedelta]) -> None:
    """Try again after the next of `waits`, or give up; who has used up all of them is switched off."""
    attempts = delivery.attempts + 1
    if error.permanent:
        delivery.fail(str(error))
    elif attempts > len(waits):
        delivery.fail(f"Given up after {attempts} attempts. Last answer: {error}" if waits else str(error))
    else:
        wait = max(waits[attempts - 1] * random.uniform(1, 1 + JITTER), error.after or timedelta())
        delivery.defer(str(error), after=wait)
        delivery.subscriber.rest(max(min(wait, LONGEST_REST), error.after or timedelta()))
        return
    if delivery.kind == DeliveryKind.EVENT:
        _switch_off(delivery.subscriber, f"{error}" if error.permanent else f"It failed {attempts} times: {error}")


def _switch_off(subscriber: Subscriber, reason: str) -> None:
    """Tell its owner by mail, if we know one. Staff sees it in the console."""
    subscriber.pause(reason)
    if subscriber.state == SubscriberState.PAUSED and subscriber.email:
        _owe(subscriber, DeliveryKind.ENDPOINT_DISABLED, channel=Channel.EMAIL)


def _owe(subscriber: Subscriber, kind: DeliveryKind, *, channel: str = "") -> None:
    Delivery.objects.replace_requests(subscriber)
    Delivery.objects.create(
        kind=kind, subscriber=subscriber, channel=channel or subscriber.channel, priority=Priority.URGENT
    )


def _note(subscriber: Subscriber, verb: str, actor: Actor, **details: str | int) -> None:
    note(subscriber.page, verb, actor=actor, object_type="subscriber", object_ref=subscriber.public_id, **details)
