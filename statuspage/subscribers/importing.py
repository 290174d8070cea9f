"""Subscribers who move in from another product, in the state that they had there. Nobody is written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from incidents.models import Component, Page
from incidents.transfer.records import Outcome, Result, is_public_id, public_id_for
from statuspage.common import http
from statuspage.notifications.endpoints import new_secret
from statuspage.notifications.transports.sms import as_number
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.models.subscribers import normalise
from statuspage.subscribers.preferences import Preferences, set_preferences


@dataclass(frozen=True)
class IncomingSubscriber:
    """`components`: the codes of those that they chose; empty: the whole page. `reason`: why they are paused."""

    code: str
    channel: str
    state: str
    email: str = ""
    endpoint: str = ""
    components: tuple[str, ...] = ()
    created_at: datetime | None = None
    reason: str = ""


@transaction.atomic
def upsert_subscriber(
    page: Page, incoming: IncomingSubscriber, *, components: Mapping[str, Component], dry: bool = False
) -> Result:
    """One who is here already stays as they are, unless they have confirmed, or left, over there since."""
    try:
        email, endpoint = _address(incoming)
    except ValidationError as error:
        return Result(Outcome.SKIPPED, (" ".join(error.messages).rstrip("."),))
    address = Q(channel=incoming.channel, email=email, endpoint=endpoint)
    here = Subscriber.objects.of_page(page).filter(address | Q(public_id=incoming.code)).order_by("pk").first()
    if here:
        return _catch_up(here, incoming, dry=dry)
    chosen = tuple(components[code] for code in incoming.components if code in components)
    if incoming.components and not chosen:
        return Result(Outcome.SKIPPED, ("all that they chose is gone",))
    if not dry:
        subscriber = Subscriber.objects.create(
            page=page,
            public_id=_free_code(incoming),
            channel=incoming.channel,
            email=email,
            endpoint=endpoint,
            secret=new_secret() if incoming.channel == Channel.WEBHOOK else "",
            state=incoming.state,
            created_at=incoming.created_at or timezone.now(),
            **_stamps(incoming),
        )
        everything = not chosen or len(chosen) == sum(one.archived_at is None for one in components.values())
        set_preferences(subscriber, Preferences(whole_page=everything, components=() if everything else chosen))
    return Result(Outcome.CREATED)


def _address(incoming: IncomingSubscriber) -> tuple[str, str]:
    """E-mail and endpoint, checked as those of people who sign up are."""
    email = normalise(incoming.email)
    if email or incoming.channel == Channel.EMAIL:
        validate_email(email)
    if incoming.channel == Channel.EMAIL:
        return email, ""
    if incoming.channel == Channel.SMS:
        return email, as_number(incoming.endpoint)
    try:
        return email, http.normalize_url(incoming.endpoint)
    except http.ForbiddenAddress as error:
        raise ValidationError(f"of its address: {error}") from error


def _free_code(incoming: IncomingSubscriber) -> str:
    if is_public_id(incoming.code) and not Subscriber.objects.filter(public_id=incoming.code).exists():
        return incoming.code
    return public_id_for("subscriber", incoming.code, incoming.channel, incoming.email, incoming.endpoint)


def _stamps(incoming: IncomingSubscriber) -> dict[str, object]:
    now = timezone.now()
    since = incoming.created_at or now
    match incoming.state:
        case SubscriberState.ACTIVE:
            return {"confirmed_at": since}
        case SubscriberState.PAUSED:
            return {"confirmed_at": since, "paused_at": now, "paused_reason": incoming.reason}
        case SubscriberState.UNSUBSCRIBED:
            return {"unsubscribed_at": now}
    # Those who do not confirm are forgotten a month after they were last asked: as if that were now.
    return {"confirmation_sent_at": now}


def _catch_up(here: Subscriber, incoming: IncomingSubscriber, *, dry: bool) -> Result:
    confirmed = here.state == SubscriberState.PENDING and incoming.state == SubscriberState.ACTIVE
    left = incoming.state == SubscriberState.UNSUBSCRIBED and here.state != SubscriberState.UNSUBSCRIBED
    if not (confirmed or left):
        return Result(Outcome.UNCHANGED)
    if confirmed and not dry:
        here.confirm()
    if left and not dry:
        here.unsubscribe()
    return Result(Outcome.CHANGED)
