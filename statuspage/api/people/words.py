"""Channels and states in Statuspage's words, and subscribers as it tells of them."""

from incidents.models import Page
from statuspage.api.schemas.subscribers import Mode, SubscriberOut
from statuspage.common.json_responses import wire_of
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.models.subscribers import UNCONFIRMED_KEPT, SubscriberQuerySet
from statuspage.subscribers.preferences import preferences_of

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
    """`subscriber` comes `with_preferences()`. Secret addresses of chats are not told."""
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
    preferences = preferences_of(subscriber)
    if preferences.whole_page:
        return []
    members = (one for group in preferences.groups for one in group.components.active())
    return list(dict.fromkeys(one.public_id for one in (*preferences.components, *members)))
