"""What programs do to subscribers."""

from collections.abc import Iterable
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from incidents.actor import Actor
from incidents.models import Incident, Page
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import Paging, components_named, get_from_list_or_404
from statuspage.api.v1.subscribers.schemas import SubscriberIn, SubscriberOut, subscriber_out
from statuspage.notifications import endpoints
from statuspage.notifications.transports import ENDPOINT_TRANSPORTS
from statuspage.subscribers import staff_actions
from statuspage.subscribers.models import Channel, Subscriber
from statuspage.subscribers.models.subscribers import SubscriberQuerySet
from statuspage.subscribers.preferences import Preferences, set_preferences


def add_subscriber(page: Page, asked: SubscriberIn, *, actor: Actor, preferences: Preferences) -> Subscriber:
    """By e-mail (asked to confirm unless the client says that it has their word), webhook, or telephone number.

    Endpoints are vouched for by whoever has the token, and active at once.
    """
    if asked.endpoint:
        return _add_endpoint(page, Channel.WEBHOOK, asked.endpoint, "endpoint", asked.email, preferences, actor)
    if asked.phone_number:
        return _add_endpoint(page, Channel.SMS, asked.phone_number, "phone_number", None, preferences, actor)
    if not asked.email:
        raise ValidationError({"email": "Give an email, an endpoint or a phone_number."})
    _check_email(asked.email)
    confirmed = asked.skip_confirmation_notification
    return staff_actions.add(page, asked.email, preferences=preferences, confirmed=confirmed, actor=actor)


def preferences_for(page: Page, codes: Iterable[str] | None, before: Preferences | None = None) -> Preferences:
    """The whole page, or the components with these ids, all else as `before`."""
    kept = {} if before is None else before.columns
    if codes is None:
        return Preferences(**kept | {"whole_page": True})  # type: ignore[arg-type]
    components = components_named(page, codes, field="component_ids")
    if not components:
        raise ValidationError({"component_ids": "Name at least one component, or leave this out for the whole page."})
    return Preferences(**kept | {"whole_page": False}, components=tuple(components))  # type: ignore[arg-type]


def remove_subscriber(subscriber: Subscriber, *, actor: Actor) -> None:
    if subscriber.channel == Channel.EMAIL:
        staff_actions.unsubscribe(subscriber, actor=actor)
    else:
        endpoints.remove(subscriber, actor=actor)


def _add_endpoint(
    page: Page, channel: Channel, address: str, field: str, email: str | None, preferences: Preferences, actor: Actor
) -> Subscriber:
    if email:
        _check_email(email)
    try:
        endpoint, secret = ENDPOINT_TRANSPORTS[channel].clean_endpoint(address, "")
        added = endpoints.add(page, channel, endpoint=endpoint, secret=secret, email=email or "", actor=actor)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from None
    set_preferences(added, preferences)
    return added


def _check_email(email: str) -> None:
    try:
        validate_email(email.strip())
    except ValidationError:
        raise ValidationError({"email": "This is not an e-mail address."}) from None


def without_incident(preferences: Preferences, incident: Incident) -> Preferences | None:
    """All but this incident; None if nothing is left."""
    rest = tuple(one for one in preferences.incidents if one != incident)
    left = preferences.whole_page or rest or preferences.components or preferences.groups
    return replace(preferences, incidents=rest) if left else None


def get_subscriber(rows: SubscriberQuerySet, code: str) -> Subscriber:
    found: Subscriber = get_from_list_or_404(rows.with_codes([code]).with_preferences().select_related("page"), code)
    return found


def read_subscriber(page: Page, code: str) -> SubscriberOut:
    return subscriber_out(page, get_subscriber(page.subscribers.all(), code))


def list_subscribers(page: Page, rows: SubscriberQuerySet, paging: Paging, *, first: int = 1) -> list[SubscriberOut]:
    return [subscriber_out(page, one) for one in paging.cut(rows.with_preferences(), first=first)]


def resend_confirmation(request: ApiRequest, page: Page, rows: SubscriberQuerySet, code: str) -> SubscriberOut:
    subscriber = get_subscriber(rows, code)
    if subscriber.channel != Channel.EMAIL or subscriber.is_active:
        raise ValidationError({"subscriber": "Only unconfirmed e-mail subscribers are asked to confirm."})
    staff_actions.resend_confirmation(subscriber, actor=request.token.actor)
    return read_subscriber(page, code)
