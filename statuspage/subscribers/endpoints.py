"""Actions on endpoints: adding, pausing and removing them, and their secrets.

Each is one transaction. Actions by staff write an audit entry, which contains no address and no secret.
"""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from incidents import clock
from incidents.actor import Actor
from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.models.subscribers import BY_STAFF

SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix (Standard Webhooks), not a secret
# After a rotation, messages carry both signatures for this long.
OLD_SECRET_KEPT = timedelta(hours=24)


def new_secret() -> str:
    """192 random bits in the format of the Standard Webhooks specification."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


@transaction.atomic
def add(
    page: Page, channel: str, *, endpoint: str, actor: Actor, secret: str = "", name: str = "", email: str = ""
) -> Subscriber:
    """Add an endpoint, active at once. `endpoint` and `secret` must be checked by the channel's transport.

    ValidationError for a known endpoint, and for a webhook that its owner signed up and unsubscribed.
    """
    columns = {"name": name, "secret": new_secret() if channel == Channel.WEBHOOK else secret}
    try:
        with transaction.atomic():
            subscriber = Subscriber.objects.create(
                page=page, channel=channel, endpoint=endpoint, email=email, **columns
            )
    except IntegrityError:
        known = Subscriber.objects.select_for_update()
        subscriber = known.get(page=page, channel=channel, endpoint=endpoint, email=email)
        if subscriber.state != SubscriberState.UNSUBSCRIBED:
            raise ValidationError({"endpoint": "This endpoint is already on the list."}) from None
        if subscriber.confirmation_sent_at:
            message = "The owner of this webhook unsubscribed it. Only the owner can subscribe it again."
            raise ValidationError({"endpoint": message}) from None
        Subscriber.objects.filter(pk=subscriber.pk).update(**columns, secret_shown_at=None)
    subscriber.confirm()
    note_action(subscriber, "endpoint.added", actor, channel=channel)
    return subscriber


@transaction.atomic
def resume(subscriber: Subscriber, *, actor: Actor) -> None:
    """Send to it again. ValidationError for a removed endpoint, whose secret is deleted."""
    # Locked, so that a removal at the same moment is either seen here or comes after.
    locked = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if locked.state == SubscriberState.UNSUBSCRIBED:
        raise ValidationError("This endpoint was removed and cannot be resumed.")
    subscriber.record_success()
    subscriber.confirm()
    note_action(subscriber, "endpoint.resumed", actor)


@transaction.atomic
def pause(subscriber: Subscriber, *, actor: Actor) -> None:
    subscriber.pause(f"{BY_STAFF}{actor.label}.")
    note_action(subscriber, "endpoint.paused", actor)


@transaction.atomic
def remove(subscriber: Subscriber, *, actor: Actor) -> None:
    """Unsubscribe it and delete its secrets. The row stays for its history."""
    subscriber.unsubscribe()
    Subscriber.objects.filter(pk=subscriber.pk).update(
        secret="", old_secret="", old_secret_until=None, paused_reason=""
    )
    note_action(subscriber, "endpoint.removed", actor)


@transaction.atomic
def rotate_secret(subscriber: Subscriber, *, actor: Actor | None = None) -> str:
    """Return a new secret, to be shown once. If the old one was shown, it signs as well for OLD_SECRET_KEPT."""
    now = clock.now()
    if subscriber.secret_shown_at:
        subscriber.old_secret, subscriber.old_secret_until = subscriber.secret, now + OLD_SECRET_KEPT
    subscriber.secret, subscriber.secret_shown_at = new_secret(), now
    subscriber.save(update_fields=["secret", "secret_shown_at", "old_secret", "old_secret_until"])
    if actor:
        note_action(subscriber, "endpoint.secret", actor)
    return subscriber.secret


@transaction.atomic
def show_secret(subscriber: Subscriber) -> str:
    """Return the first secret the first time, and an empty string after that."""
    unseen = Subscriber.objects.filter(pk=subscriber.pk, secret_shown_at__isnull=True)
    shown = unseen.update(secret_shown_at=clock.now())
    subscriber.refresh_from_db()
    return subscriber.secret if shown else ""


def note_action(subscriber: Subscriber, verb: str, actor: Actor, **details: str | int) -> None:
    """Write an audit entry about an endpoint."""
    note(subscriber.page, verb, actor=actor, object_type="subscriber", object_ref=subscriber.public_id, **details)
