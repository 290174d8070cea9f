"""The schemas of subscribers, with Statuspage's names of channels and states."""

from typing import Annotated, Literal

from pydantic import Field

from incidents.models import Page
from statuspage.api.lookups import serializer_of
from statuspage.api.v1.base import PublicIds, RequestModel, ResponseModel
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.models.subscribers import UNCONFIRMED_RETENTION, SubscriberQuerySet
from statuspage.subscribers.preferences import preferences_of

Mode = Literal["email", "sms", "webhook", "slack", "teams", "integration_partner"]
StateIn = Literal["active", "unconfirmed", "pending", "quarantined", "all"]


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
    phone_country: Annotated[
        str | None, Field(max_length=2, description="Ignored. Send the number with + and the country code.")
    ] = None
    skip_confirmation_notification: bool = False
    component_ids: PublicIds | None = None


class SubscriberBody(RequestModel):
    subscriber: SubscriberIn


class ComponentsBody(RequestModel):
    """Without `component_ids`, the subscriber follows the whole page."""

    component_ids: PublicIds | None = None


class ManyBody(RequestModel):
    """`subscribers` is a list of ids, or `all`."""

    subscribers: PublicIds | str
    type: Mode | None = None
    state: StateIn = "active"
    skip_unsubscription_notification: bool | None = None


class CountOut(ResponseModel):
    """The number of subscribers."""

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
    """Filter subscribers. Those who unsubscribed are in none of the states."""
    rows = rows.in_states(STATES[state])
    return rows.on_channels([channel for channel in Channel if mode_of(channel) == mode]) if mode else rows


def subscriber_out(page: Page, subscriber: Subscriber) -> SubscriberOut:
    """`subscriber` comes `with_preferences()`. The secret URLs of chat channels are not included."""
    serializer, mode = serializer_of(page), mode_of(subscriber.channel)
    number = subscriber.endpoint if mode == "sms" else None
    quarantined_at = subscriber.paused_at if subscriber.state == SubscriberState.PAUSED else None
    unconfirmed_since = subscriber.confirmation_sent_at or subscriber.created_at
    is_unconfirmed = subscriber.state in UNCONFIRMED
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
        quarantined_at=serializer.time_or_none(quarantined_at),
        purge_at=serializer.time(unconfirmed_since + UNCONFIRMED_RETENTION) if is_unconfirmed else None,
        components=_component_ids(subscriber),
        created_at=serializer.time(subscriber.created_at),
    )


def _component_ids(subscriber: Subscriber) -> list[str]:
    """Return the ids of the selected components and of those in selected groups. Empty means the whole page."""
    preferences = preferences_of(subscriber)
    if preferences.whole_page:
        return []
    members = (component for group in preferences.groups for component in group.components.active())
    return list(dict.fromkeys(component.public_id for component in (*preferences.components, *members)))


def histogram(page: Page) -> Histogram:
    """Count subscribers by mode and state, without those who unsubscribed."""
    by_mode = {mode: CountsByState() for mode in (*MODES.values(), OTHERS)}
    for channel, state, number in page.subscribers.tally():
        counts = by_mode[mode_of(channel)]
        for name in ("active", "unconfirmed", "quarantined"):
            if state in STATES[name]:
                setattr(counts, name, getattr(counts, name) + number)
                counts.total += number
    return Histogram(**by_mode)


def counts_by_mode(page: Page, *, mode: str | None, state: str) -> CountsByMode:
    """Count subscribers in `state`: of one mode only, if `mode` is not None."""
    counts, name = histogram(page), {"all": "total", "pending": "unconfirmed"}.get(state, state)
    modes = [mode] if mode else list(Histogram.model_fields)
    return CountsByMode(**{mode: getattr(getattr(counts, mode), name) for mode in modes})
