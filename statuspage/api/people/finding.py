"""Subscribers that a request names, and the answers about them."""

from django.core.exceptions import ValidationError

from incidents.models import Page
from statuspage.api.doors import ApiRequest
from statuspage.api.lookups import Paging, get_from_list_or_404
from statuspage.api.people.words import subscriber_out
from statuspage.api.schemas.subscribers import SubscriberOut
from statuspage.subscribers import staff_actions
from statuspage.subscribers.models import Channel, Subscriber
from statuspage.subscribers.models.subscribers import SubscriberQuerySet


def subscriber_of(rows: SubscriberQuerySet, code: str) -> Subscriber:
    found: Subscriber = get_from_list_or_404(rows.with_codes([code]).with_preferences().select_related("page"), code)
    return found


def out(page: Page, code: str) -> SubscriberOut:
    return subscriber_out(page, subscriber_of(page.subscribers.all(), code))


def listed(page: Page, rows: SubscriberQuerySet, paging: Paging, *, first: int = 1) -> list[SubscriberOut]:
    return [subscriber_out(page, one) for one in paging.cut(rows.with_preferences(), first=first)]


def asked_again(request: ApiRequest, page: Page, rows: SubscriberQuerySet, code: str) -> SubscriberOut:
    subscriber = subscriber_of(rows, code)
    if subscriber.channel != Channel.EMAIL or subscriber.is_active:
        raise ValidationError({"subscriber": "Only unconfirmed e-mail subscribers are asked to confirm."})
    staff_actions.resend_confirmation(subscriber, actor=request.token.actor)
    return out(page, code)
