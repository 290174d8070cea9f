"""Subscribers in Statuspage's words, and what programs do to them."""

from collections.abc import Iterable
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from incidents.actor import Actor
from incidents.models import Incident, Page
from statuspage.api.lookups import components_named
from statuspage.api.schemas.subscribers import CountsByMode, CountsByState, Histogram, Mode, SubscriberIn, SubscriberOut
from statuspage.common.wire import wire_of
from statuspage.subscribers import endpoints, roster
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.models.subscribers import UNCONFIRMED_KEPT, SubscriberQuerySet
from statuspage.subscribers.transports import ENDPOINT_TRANSPORTS
from statuspage.subscribers.wishes import Wishes, set_wishes, wishes_of

MODES: dict[str, Mode] = {
    Channel.EMAIL: "email",
    Channel.SMS: "sms",
    Channel.WEBHOOK: "webhook",
    Channel.SLACK: "slack",
    Channel.TEAMS: "teams",
}
OTHERS: Mode = "integration_partner"
UNCONFIRMED = (SubscriberState.PENDING, SubscriberState.VERIFYING)
STATES = {
    "active": (SubscriberState.ACTIVE,),
    "unconfirmed": UNCONFIRMED,
    "pending": UNCONFIRMED,
    "quarantined": (SubscriberState.PAUSED,),
    "all": (SubscriberState.ACTIVE, *UNCONFIRMED, SubscriberState.PAUSED),
}


def mode_of(channel: str) -> Mode:
    return MODES.get(channel, OTHERS)


def narrowed(everybody: SubscriberQuerySet, *, mode: str | None = None, state: str = "active") -> SubscriberQuerySet:
    """Those who have left are in none of the states."""
    found = everybody.in_states(STATES[state])
    return found.on_channels([one for one in Channel if mode_of(one) == mode]) if mode else found


def subscriber_out(page: Page, subscriber: Subscriber) -> SubscriberOut:
    """`subscriber` comes `with_wishes()`. Secret addresses of chats are not told."""
    wire, mode = wire_of(page), mode_of(subscriber.channel)
    number = subscriber.endpoint if mode == "sms" else None
    asked_at = subscriber.confirmation_sent_at or subscriber.created_at
    return SubscriberOut(
        id=subscriber.public_id,
        page_id=page.public_id,
        skip_confirmation_notification=False,
        mode=mode,
        email=subscriber.email or None,
        endpoint=subscriber.endpoint if mode == "webhook" else None,
        phone_number=number,
        display_phone_number=number,
        obfuscated_channel_name=subscriber.address if mode in ("slack", "teams", OTHERS) else None,
        quarantined_at=wire.time_or_none(subscriber.paused_at if subscriber.state == SubscriberState.PAUSED else None),
        purge_at=wire.time(asked_at + UNCONFIRMED_KEPT) if subscriber.state in UNCONFIRMED else None,
        components=_chosen(subscriber),
        created_at=wire.time(subscriber.created_at),
    )


def _chosen(subscriber: Subscriber) -> list[str]:
    """Ids of components, those of chosen groups too; none: the whole page."""
    wishes = wishes_of(subscriber)
    if wishes.whole_page:
        return []
    members = (one for group in wishes.groups for one in group.components.active())
    return list(dict.fromkeys(one.public_id for one in (*wishes.components, *members)))


def counts(page: Page) -> Histogram:
    """By mode and state; those who have left are not counted."""
    found = {mode: CountsByState() for mode in (*MODES.values(), OTHERS)}
    for channel, state, number in page.subscribers.tally():
        counted = found[mode_of(channel)]
        for word in ("active", "unconfirmed", "quarantined"):
            if state in STATES[word]:
                setattr(counted, word, getattr(counted, word) + number)
                counted.total += number
    return Histogram(**found)


def counted_by_mode(page: Page, *, mode: str | None, state: str) -> CountsByMode:
    """Of other modes than `mode`, none."""
    histogram, word = counts(page), {"all": "total", "pending": "unconfirmed"}.get(state, state)
    modes = [mode] if mode else list(Histogram.model_fields)
    return CountsByMode(**{one: getattr(getattr(histogram, one), word) for one in modes})


def add(page: Page, asked: SubscriberIn, *, actor: Actor, wishes: Wishes) -> Subscriber:
    """By e-mail (asked to confirm unless the client says that it has their word), webhook, or telephone number.

    Endpoints are vouched for by whoever has the token, and active at once.
    """
    if asked.endpoint:
        return _add_endpoint(page, Channel.WEBHOOK, asked.endpoint, "endpoint", asked.email, wishes, actor)
    if asked.phone_number:
        return _add_endpoint(page, Channel.SMS, asked.phone_number, "phone_number", None, wishes, actor)
    if not asked.email:
        raise ValidationError({"email": "Give an email, an endpoint or a phone_number."})
    _check_email(asked.email)
    confirmed = asked.skip_confirmation_notification
    return roster.add(page, asked.email, wishes=wishes, confirmed=confirmed, actor=actor)


def wishes_for(page: Page, codes: Iterable[str] | None, before: Wishes | None = None) -> Wishes:
    """The whole page, or the components with these ids, all else as `before`."""
    kept = {} if before is None else before.columns
    if codes is None:
        return Wishes(**kept | {"whole_page": True})  # type: ignore[arg-type]
    components = components_named(page, codes, field="component_ids")
    if not components:
        raise ValidationError({"component_ids": "Name at least one component, or leave this out for the whole page."})
    return Wishes(**kept | {"whole_page": False}, components=tuple(components))  # type: ignore[arg-type]


def remove(subscriber: Subscriber, *, actor: Actor) -> None:
    if subscriber.channel == Channel.EMAIL:
        roster.unsubscribe(subscriber, actor=actor)
    else:
        endpoints.remove(subscriber, actor=actor)


def _add_endpoint(
    page: Page, channel: Channel, address: str, field: str, email: str | None, wishes: Wishes, actor: Actor
) -> Subscriber:
    if email:
        _check_email(email)
    try:
        endpoint, secret = ENDPOINT_TRANSPORTS[channel].check(address, "")
        added = endpoints.add(page, channel, endpoint=endpoint, secret=secret, email=email or "", actor=actor)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from None
    set_wishes(added, wishes)
    return added


def _check_email(email: str) -> None:
    try:
        validate_email(email.strip())
    except ValidationError:
        raise ValidationError({"email": "This is not an e-mail address."}) from None


def without(wishes: Wishes, incident: Incident) -> Wishes | None:
    """All but this incident; None if nothing is left."""
    rest = tuple(one for one in wishes.incidents if one != incident)
    left = wishes.whole_page or rest or wishes.components or wishes.groups
    return replace(wishes, incidents=rest) if left else None
