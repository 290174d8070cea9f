"""The signed links in emails. Each is valid for one purpose and contains only the public id of the subscriber.

Links to confirm and to manage also contain the subscriber's `link_key`: a new key revokes them. Links to unsubscribe do
not, because those in emails that were already sent must keep working (RFC 8058).
"""

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
_KEY_SEPARATOR = "-"


class RevokedLink(BadToken):
    """The link was valid, but its subscriber or staff have reset all links since."""

    def __init__(self, subscriber: Subscriber) -> None:
        super().__init__()
        self.subscriber = subscriber


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
    """Return the subscriber of a manage or unsubscribe link; these never expire.

    BadToken if it is invalid, RevokedLink if it was revoked.
    """
    return _subscriber(purpose, verify(purpose, token).value)


def subscriber_to_confirm(token: str, *, purpose: str = CONFIRM) -> Subscriber:
    """BadToken if the link is invalid; ExpiredToken after CONFIRM_WITHIN, or if they unsubscribed since.

    RevokedLink if it was revoked: for an active subscriber, the page links to the one that manages the subscription.
    """
    token_contents = verify(purpose, token, max_age=CONFIRM_WITHIN)
    subscriber = _subscriber(purpose, token_contents.value)
    if subscriber.unsubscribed_at and token_contents.made_at <= subscriber.unsubscribed_at:
        raise ExpiredToken
    return subscriber


def _subscriber(purpose: str, value: str) -> Subscriber:
    public_id, _, link_key = value.partition(_KEY_SEPARATOR)
    subscriber = Subscriber.objects.by_public_id(public_id)
    if subscriber is None:
        raise BadToken
    if purpose != UNSUBSCRIBE and link_key != subscriber.link_key:
        raise RevokedLink(subscriber)
    return subscriber


def _url(subscriber: Subscriber, view: str, purpose: str) -> str:
    before, after = _around_token(view, subscriber.page.domain, settings.SITE_URL)
    has_key = subscriber.link_key and purpose != UNSUBSCRIBE
    value = f"{subscriber.public_id}{_KEY_SEPARATOR}{subscriber.link_key}" if has_key else subscriber.public_id
    return before + sign(purpose, value) + after


@lru_cache(maxsize=256)
def _around_token(view: str, domain: str, _site_url: str) -> tuple[str, str]:
    """Return the URL before and after the token. Cached, because every email of a large mailing needs it."""
    before, _, after = absolute_url(Page(domain=domain), reverse(view, args=[_GAP])).partition(_GAP)
    return before, after
