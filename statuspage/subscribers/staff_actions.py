"""What staff does to subscribers. Each is one transaction with its audit entry, which names no address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents.actor import Actor
from incidents.models import Event, Page
from statuspage.accounts.audit import note
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Subscriber, SubscriberState
from statuspage.subscribers.preferences import Preferences, set_preferences
from statuspage.subscribers.sign_up import request_subscription

PAUSED_BY_STAFF = "Paused by staff."


@transaction.atomic
def add(page: Page, email: str, *, preferences: Preferences, confirmed: bool, actor: Actor) -> Subscriber:
    """`confirmed`: staff has their word; else they are mailed and asked, at most once a day.

    ValidationError for whoever is here already, or has left: nobody is signed up again behind their back.
    """
    known = Subscriber.objects.by_email(page, email)
    if known and known.state == SubscriberState.UNSUBSCRIBED:
        raise ValidationError({"email": "This address has unsubscribed. Only they can subscribe again."})
    if known and known.state != SubscriberState.PENDING:
        raise ValidationError({"email": f"This address is here already: {known.get_state_display().lower()}."})
    subscriber = known or Subscriber.objects.create_for(page, email)
    if confirmed:
        set_preferences(subscriber, preferences)
        subscriber.confirm()
    else:
        request_subscription(page, email, preferences=preferences)
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
    """Whether a mail is owed now: it is not if one was in the last day. ValidationError for whoever has left."""
    if subscriber.state == SubscriberState.UNSUBSCRIBED:
        raise ValidationError("They have unsubscribed. Only they can subscribe again.")
    owed = request_subscription(subscriber.page, subscriber.email)
    if owed:
        _note(subscriber, "subscriber.confirmation_resent", actor)
    return owed


@dataclass(frozen=True)
class Retried:
    """How many failed deliveries were queued again, and how many were left as they are."""

    again: int
    left: int


@transaction.atomic
def retry_failed(event: Event, *, actor: Actor, only: int | None = None) -> Retried:
    """All failed deliveries of `event`, or `only` one of them, from their first attempt on.

    Left alone: those to subscribers who are paused or gone, and those that a later update has overtaken; "resolved"
    never arrives before "investigating".
    """
    failed = Delivery.objects.of_event(event).failed()
    failed = failed.filter(pk=only) if only else failed
    total = failed.count()
    again = failed.worth_retrying().requeue()
    if again:
        about = {"object_type": "event", "object_ref": str(event.pk)}
        note(event.page, "deliveries.retried", actor=actor, **about, count=again)
    return Retried(again, total - again)


def _note(subscriber: Subscriber, verb: str, actor: Actor, **details: Any) -> None:
    about = {"object_type": "subscriber", "object_ref": subscriber.public_id}
    note(subscriber.page, verb, actor=actor, **about, **details)
