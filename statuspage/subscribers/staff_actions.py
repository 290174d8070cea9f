"""Actions of staff on subscribers. Each is one transaction with an audit entry, which contains no address."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents.actor import Actor
from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.subscribers import sign_up
from statuspage.subscribers.models import Subscriber, SubscriberState
from statuspage.subscribers.preferences import Preferences, set_preferences
from statuspage.subscribers.sign_up import request_subscription

PAUSED_BY_STAFF = "Paused by staff."


@transaction.atomic
def add(page: Page, email: str, *, preferences: Preferences, confirmed: bool, actor: Actor) -> Subscriber:
    """Add a subscriber.

    `confirmed`: they have agreed to receive messages. Otherwise they get a confirmation email, at most once a day.
    ValidationError for a known address, also an unsubscribed one: only its owner can subscribe it again.
    """
    existing = Subscriber.objects.by_email(page, email)
    if existing and existing.state == SubscriberState.UNSUBSCRIBED:
        raise ValidationError({"email": "This address is unsubscribed. Only its owner can subscribe it again."})
    if existing and existing.state != SubscriberState.PENDING:
        raise ValidationError(
            {"email": f"This address is already on the list. Status: {existing.get_state_display().lower()}."}
        )
    subscriber = existing or Subscriber.objects.create_for(page, email)
    if confirmed:
        set_preferences(subscriber, preferences)
        subscriber.confirm()
    else:
        request_subscription(page, email, preferences=preferences, by_staff=True)
    _note(subscriber, "subscriber.added", actor, confirmed_by_staff=confirmed)
    return subscriber


@transaction.atomic
def change(subscriber: Subscriber, preferences: Preferences, *, actor: Actor) -> None:
    set_preferences(subscriber, preferences)
    _note(subscriber, "subscriber.changed", actor)


@transaction.atomic
def unsubscribe(subscriber: Subscriber, *, actor: Actor) -> None:
    subscriber.unsubscribe()
    _note(subscriber, "subscriber.unsubscribed", actor)


@transaction.atomic
def pause(subscriber: Subscriber, *, actor: Actor) -> None:
    subscriber.pause(PAUSED_BY_STAFF)
    _note(subscriber, "subscriber.paused", actor)


@transaction.atomic
def resume(subscriber: Subscriber, *, actor: Actor) -> None:
    subscriber.resume()
    _note(subscriber, "subscriber.resumed", actor)


@transaction.atomic
def resend_confirmation(subscriber: Subscriber, *, actor: Actor) -> bool:
    """Return whether an email was requested: at most one per day. ValidationError for an unsubscribed address."""
    if subscriber.state == SubscriberState.UNSUBSCRIBED:
        raise ValidationError("This address is unsubscribed. Only its owner can subscribe it again.")
    is_requested = request_subscription(subscriber.page, subscriber.email, by_staff=True)
    if is_requested:
        _note(subscriber, "subscriber.confirmation_resent", actor)
    return is_requested


@transaction.atomic
def reset_links(subscriber: Subscriber, *, actor: Actor) -> None:
    """Revoke the subscriber's links. An active subscriber gets an email with the new link."""
    sign_up.reset_links(subscriber)
    _note(subscriber, "subscriber.links_reset", actor)


def _note(subscriber: Subscriber, verb: str, actor: Actor, **details: Any) -> None:
    about = {"object_type": "subscriber", "object_ref": subscriber.public_id}
    note(subscriber.page, verb, actor=actor, **about, **details)
