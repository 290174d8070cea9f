"""Channels and states in Statuspage's words, and subscribers as it tells of them."""

from typing import Annotated, Literal

from pydantic import Field

from incidents.models import Page
from statuspage.api.v1.base import Codes, RequestModel, ResponseModel
from statuspage.common.json_responses import wire_of
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.models.subscribers import UNCONFIRMED_KEPT, SubscriberQuerySet
from statuspage.subscribers.preferences import preferences_of

Mode = Literal["email", "sms", "webhook", "slack", "teams", "integration_partner"]
StateWord = Literal["active", "unconfirmed", "pending", "quarantined", "all"]


class SubscriberOut(ResponseModel):
    id: str
    page_id: str
    skip_confirmation_notification: bool
    mode: Mode
    email: str | None
    endpoint: str | None
    phone_number: str | None
    phone_country: str | None = None
    display_phone_number: str | None
    obfuscated_channel_name: str | None
    workspace_name: str | None = None
    quarantined_at: str | None
    purge_at: str | None
    components: list[str]
    page_access_user_id: str | None = None
    created_at: str


class SubscriberIn(RequestModel):
    email: Annotated[str | None, Field(max_length=254)] = None
    endpoint: Annotated[str | None, Field(max_length=1000)] = None
    phone_number: Annotated[str | None, Field(max_length=40)] = None
    phone_country: Annotated[str | None, Field(max_length=2, description="Only numbers with + are understood")] = None
    skip_confirmation_notification: bool = False
    component_ids: Codes | None = None


class SubscriberBody(RequestModel):
    subscriber: SubscriberIn


class ComponentsBody(RequestModel):
    """Without `component_ids`: the whole page."""

    component_ids: Codes | None = None


class ManyBody(RequestModel):
    """`subscribers`: ids, or the word `all`."""

    subscribers: Codes | str
    type: Mode | None = None
    state: StateWord = "active"
    skip_unsubscription_notification: bool | None = None


class CountOut(ResponseModel):
    """How many subscribers were found."""

    count: int


class CountsByMode(ResponseModel):
    email: int = 0
    sms: int = 0
    webhook: int = 0
    integration_partner: int = 0
    slack: int = 0
    teams: int = 0


class CountsByState(ResponseModel):
    active: int = 0
    unconfirmed: int = 0
    quarantined: int = 0
    total: int = 0


class Histogram(ResponseModel):
    email: CountsByState
    sms: CountsByState
    webhook: CountsByState
    integration_partner: CountsByState
    slack: CountsByState
    teams: CountsByState


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


def in_mode_and_state(
    rows: SubscriberQuerySet, *, mode: str | None = None, state: str = "active"
) -> SubscriberQuerySet:
    """Those who have left are in none of the states."""
    found = rows.in_states(STATES[state])
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


def histogram(page: Page) -> Histogram:
    """By mode and state; those who have left are not counted."""
    found = {mode: CountsByState() for mode in (*MODES.values(), OTHERS)}
    for channel, state, number in page.subscribers.tally():
        counted = found[mode_of(channel)]
        for word in ("active", "unconfirmed", "quarantined"):
            if state in STATES[word]:
                setattr(counted, word, getattr(counted, word) + number)
                counted.total += number
    return Histogram(**found)


def counts_by_mode(page: Page, *, mode: str | None, state: str) -> CountsByMode:
    """Of other modes than `mode`, none."""
    counted, word = histogram(page), {"all": "total", "pending": "unconfirmed"}.get(state, state)
    modes = [mode] if mode else list(Histogram.model_fields)
    return CountsByMode(**{one: getattr(getattr(counted, one), word) for one in modes})
