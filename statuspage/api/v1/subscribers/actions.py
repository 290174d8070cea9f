"""Changes of subscribers by the API, and their lookup."""

from collections.abc import Iterable
from dataclasses import replace

from django.core.exceptions import ValidationError

from incidents.actor import Actor
from incidents.models import Incident, Page
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import Paging, components_by_id, get_from_list_or_404
from statuspage.api.v1.subscribers.schemas import SubscriberIn, SubscriberOut, subscriber_out
from statuspage.common.email_addresses import clean_email
from statuspage.notifications.transports import ENDPOINT_TRANSPORTS
from statuspage.subscribers import endpoints, staff_actions
from statuspage.subscribers.models import Channel, Subscriber
from statuspage.subscribers.models.subscribers import SubscriberQuerySet
from statuspage.subscribers.preferences import Preferences, set_preferences


def add_subscriber(page: Page, data: SubscriberIn, *, actor: Actor, preferences: Preferences) -> Subscriber:
    """Add a subscriber by email, webhook or phone number.

    An email address must be confirmed, unless the client sends `skip_confirmation_notification`. A webhook or a phone
    number is active at once, because the owner of the token is responsible for it.
    """
    if data.endpoint:
        return _add_endpoint(page, Channel.WEBHOOK, data.endpoint, "endpoint", data.email, preferences, actor)
    if data.phone_number:
        return _add_endpoint(page, Channel.SMS, data.phone_number, "phone_number", None, preferences, actor)
    if not data.email:
        raise ValidationError({"email": "Send an email, an endpoint or a phone_number."})
    confirmed = data.skip_confirmation_notification
    return staff_actions.add(page, _clean_email(data.email), preferences=preferences, confirmed=confirmed, actor=actor)


def preferences_for(page: Page, public_ids: Iterable[str] | None, before: Preferences | None = None) -> Preferences:
    """Return preferences for these components, or for the whole page if None. The rest is that of `before`."""
    columns = {} if before is None else before.columns
    if public_ids is None:
        return Preferences(**columns | {"whole_page": True})  # type: ignore[arg-type]
    components = components_by_id(page, public_ids, field="component_ids")
    if not components:
        raise ValidationError({"component_ids": "Send at least one component, or omit this key for the whole page."})
    return Preferences(**columns | {"whole_page": False}, components=tuple(components))  # type: ignore[arg-type]


def remove_subscriber(subscriber: Subscriber, *, actor: Actor) -> None:
    if subscriber.channel == Channel.EMAIL:
        staff_actions.unsubscribe(subscriber, actor=actor)
    else:
        endpoints.remove(subscriber, actor=actor)


def _add_endpoint(
    page: Page, channel: Channel, address: str, field: str, email: str | None, preferences: Preferences, actor: Actor
) -> Subscriber:
    email = _clean_email(email) if email else ""
    try:
        endpoint, secret = ENDPOINT_TRANSPORTS[channel].clean_endpoint(address, "")
        added = endpoints.add(page, channel, endpoint=endpoint, secret=secret, email=email, actor=actor)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from None
    set_preferences(added, preferences)
    return added


def _clean_email(email: str) -> str:
    try:
        return clean_email(email)
    except ValidationError:
        raise ValidationError({"email": "Enter a valid email address."}) from None


def without_incident(preferences: Preferences, incident: Incident) -> Preferences | None:
    """Return `preferences` without `incident`, or None if nothing else is selected."""
    others = tuple(other for other in preferences.incidents if other != incident)
    is_any_left = preferences.whole_page or others or preferences.components or preferences.groups
    return replace(preferences, incidents=others) if is_any_left else None


def get_subscriber(rows: SubscriberQuerySet, public_id: str) -> Subscriber:
    rows = rows.with_public_ids([public_id]).with_preferences().select_related("page")
    subscriber: Subscriber = get_from_list_or_404(rows, public_id)
    return subscriber


def read_subscriber(page: Page, public_id: str) -> SubscriberOut:
    return subscriber_out(page, get_subscriber(page.subscribers.all(), public_id))


def list_subscribers(page: Page, rows: SubscriberQuerySet, paging: Paging, *, first: int = 1) -> list[SubscriberOut]:
    return [subscriber_out(page, subscriber) for subscriber in paging.cut(rows.with_preferences(), first=first)]


def resend_confirmation(request: ApiRequest, page: Page, rows: SubscriberQuerySet, public_id: str) -> SubscriberOut:
    subscriber = get_subscriber(rows, public_id)
    if subscriber.channel != Channel.EMAIL or subscriber.is_active:
        raise ValidationError({"subscriber": "Only unconfirmed email subscribers receive a confirmation email."})
    staff_actions.resend_confirmation(subscriber, actor=request.token.actor)
    return read_subscriber(page, public_id)
