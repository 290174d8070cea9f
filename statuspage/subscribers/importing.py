"""Import subscribers from another product, with their state. No emails are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from incidents import clock
from incidents.models import Component, Page
from incidents.transfer.records import ImportOutcome, ImportResult, is_public_id, public_id_for
from statuspage.common import outbound_http
from statuspage.common.email_addresses import clean_email
from statuspage.subscribers.addresses import as_number
from statuspage.subscribers.endpoints import new_secret
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.preferences import Preferences, set_preferences


@dataclass(frozen=True)
class IncomingSubscriber:
    """A subscriber of another product.

    `components`: the ids of the selected components; empty for the whole page. `reason`: why they are paused.
    """

    public_id: str
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
) -> ImportResult:
    """Create the subscriber. An existing one changes only if it was confirmed or unsubscribed in the other product."""
    try:
        email, endpoint = _address(incoming)
    except ValidationError as error:
        return ImportResult(ImportOutcome.SKIPPED, (" ".join(error.messages).rstrip("."),))
    address = Q(channel=incoming.channel, email=email, endpoint=endpoint)
    existing = Subscriber.objects.of_page(page).filter(address | Q(public_id=incoming.public_id)).order_by("pk").first()
    if existing:
        return _update_state(existing, incoming, dry=dry)
    chosen = tuple(components[code] for code in incoming.components if code in components)
    if incoming.components and not chosen:
        return ImportResult(ImportOutcome.SKIPPED, ("none of the selected components exists",))
    if not dry:
        subscriber = Subscriber.objects.create(
            page=page,
            public_id=_unused_public_id(incoming),
            channel=incoming.channel,
            email=email,
            endpoint=endpoint,
            secret=new_secret() if incoming.channel == Channel.WEBHOOK else "",
            state=incoming.state,
            created_at=incoming.created_at or clock.now(),
            **_timestamps(incoming),
        )
        everything = not chosen or len(chosen) == sum(
            component.archived_at is None for component in components.values()
        )
        set_preferences(subscriber, Preferences(whole_page=everything, components=() if everything else chosen))
    return ImportResult(ImportOutcome.CREATED)


def _address(incoming: IncomingSubscriber) -> tuple[str, str]:
    """Return email and endpoint, with the same checks as for sign-ups."""
    is_required = incoming.channel == Channel.EMAIL
    email = clean_email(incoming.email) if is_required or incoming.email.strip() else ""
    if incoming.channel == Channel.EMAIL:
        return email, ""
    if incoming.channel == Channel.SMS:
        return email, as_number(incoming.endpoint)
    try:
        return email, outbound_http.normalize_url(incoming.endpoint)
    except outbound_http.ForbiddenAddress as error:
        raise ValidationError(f"of its address: {error}") from error


def _unused_public_id(incoming: IncomingSubscriber) -> str:
    if is_public_id(incoming.public_id) and not Subscriber.objects.filter(public_id=incoming.public_id).exists():
        return incoming.public_id
    return public_id_for("subscriber", incoming.public_id, incoming.channel, incoming.email, incoming.endpoint)


def _timestamps(incoming: IncomingSubscriber) -> dict[str, object]:
    now = clock.now()
    since = incoming.created_at or now
    match incoming.state:
        case SubscriberState.ACTIVE:
            return {"confirmed_at": since}
        case SubscriberState.PAUSED:
            return {"confirmed_at": since, "paused_at": now, "paused_reason": incoming.reason}
        case SubscriberState.UNSUBSCRIBED:
            return {"unsubscribed_at": now}
    # Unconfirmed subscribers are deleted a month after the last confirmation email: count from now.
    return {"confirmation_sent_at": now}


def _update_state(existing: Subscriber, incoming: IncomingSubscriber, *, dry: bool) -> ImportResult:
    confirmed = existing.state == SubscriberState.PENDING and incoming.state == SubscriberState.ACTIVE
    has_left = incoming.state == SubscriberState.UNSUBSCRIBED and existing.state != SubscriberState.UNSUBSCRIBED
    if not (confirmed or has_left):
        return ImportResult(ImportOutcome.UNCHANGED)
    if confirmed and not dry:
        existing.confirm()
    if has_left and not dry:
        existing.unsubscribe()
    return ImportResult(ImportOutcome.CHANGED)
