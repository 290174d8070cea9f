"""The signed links in emails. Each is valid for one purpose and contains only the public id of the subscriber."""

from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.urls import reverse

from incidents.models import Page
from statuspage.common.signing import BadToken, ExpiredToken, sign, verify
from statuspage.common.urls import absolute_url
from statuspage.subscribers.models import Channel, Subscriber

CONFIRM = "subscriber.confirm"
MANAGE = "subscriber.manage"
UNSUBSCRIBE = "subscriber.unsubscribe"

# Webhooks have separate pages.
WEBHOOK_CONFIRM = "webhook.confirm"
WEBHOOK_MANAGE = "webhook.manage"

CONFIRM_WITHIN = timedelta(days=7)
_GAP = "TOKEN"


def confirm_url(subscriber: Subscriber) -> str:
    if subscriber.channel != Channel.EMAIL:
        return _url(subscriber, "public:confirm_webhook", WEBHOOK_CONFIRM)
    return _url(subscriber, "subscribers:confirm", CONFIRM)


def manage_url(subscriber: Subscriber) -> str:
    if subscriber.channel != Channel.EMAIL:
        return _url(subscriber, "public:manage_webhook", WEBHOOK_MANAGE)
    return _url(subscriber, "subscribers:manage", MANAGE)


def unsubscribe_url(subscriber: Subscriber) -> str:
    return _url(subscriber, "subscribers:unsubscribe", UNSUBSCRIBE)


def subscriber_of(purpose: str, token: str) -> Subscriber:
    """Return the subscriber of a manage or unsubscribe link; these never expire. BadToken if it is invalid."""
    return _subscriber_by_public_id(verify(purpose, token).value)


def subscriber_to_confirm(token: str, *, purpose: str = CONFIRM) -> Subscriber:
    """BadToken if the link is invalid; ExpiredToken after CONFIRM_WITHIN, or if they unsubscribed since."""
    token_contents = verify(purpose, token, max_age=CONFIRM_WITHIN)
    subscriber = _subscriber_by_public_id(token_contents.value)
    if subscriber.unsubscribed_at and token_contents.made_at <= subscriber.unsubscribed_at:
        raise ExpiredToken
    return subscriber


def _subscriber_by_public_id(public_id: str) -> Subscriber:
    subscriber = Subscriber.objects.by_public_id(public_id)
    if subscriber is None:
        raise BadToken
    return subscriber


def _url(subscriber: Subscriber, view: str, purpose: str) -> str:
    before, after = _around_token(view, subscriber.page.domain, settings.SITE_URL)
    return before + sign(purpose, subscriber.public_id) + after


@lru_cache(maxsize=256)
def _around_token(view: str, domain: str, _site_url: str) -> tuple[str, str]:
    """Return the URL before and after the token. Cached, because every email of a large mailing needs it."""
    before, _, after = absolute_url(Page(domain=domain), reverse(view, args=[_GAP])).partition(_GAP)
    return before, after
