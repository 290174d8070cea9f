"""Signing up. The web process only writes to the database; `notifications` sends the requested emails."""

from django.db import transaction

from incidents.models import Page
from incidents.models.base import new_public_id
from statuspage.subscribers.endpoints import new_secret
from statuspage.subscribers.models import (
    Channel,
    EmailRequest,
    EmailRequestKind,
    Subscriber,
    SubscriberState,
    Suppression,
)
from statuspage.subscribers.preferences import Preferences, preferences_of, set_preferences


@transaction.atomic
def request_subscription(
    page: Page, email: str, *, preferences: Preferences | None = None, by_staff: bool = False
) -> bool:
    """Request a confirmation email, or one that says that `email` is already subscribed; at most one per day.

    Without `by_staff`, all spellings of one mailbox share this limit.

    Returns whether an email was requested. Only staff may see that: a public response must not reveal known addresses.
    `preferences` are stored only for unconfirmed subscribers, because anyone can enter an address. None keeps the
    current ones.
    """
    subscriber = Subscriber.objects.sign_up(page, email, by_staff=by_staff)
    if preferences:
        _save_preferences(Subscriber.objects.by_email(page, email), preferences)
    if subscriber is None or Suppression.objects.covers(subscriber):
        return False
    kind = EmailRequestKind.REMINDER if subscriber.is_active else EmailRequestKind.CONFIRMATION
    EmailRequest.objects.create(kind=kind, subscriber=subscriber)
    return True


def _save_preferences(subscriber: Subscriber | None, preferences: Preferences) -> None:
    if subscriber and subscriber.is_unconfirmed and preferences_of(subscriber) != preferences:
        set_preferences(subscriber, preferences)


@transaction.atomic
def request_webhook(page: Page, endpoint: str, email: str, *, preferences: Preferences | None = None) -> None:
    """Request an email to `email` about its webhook at `endpoint`; at most one per day for all endpoints.

    `preferences`: see `request_subscription`.
    """
    subscriber = Subscriber.objects.sign_up_webhook(page, endpoint, email, secret=new_secret())
    if preferences:
        _save_preferences(Subscriber.objects.by_webhook(page, endpoint, email), preferences)
    if subscriber is None:
        return
    kind = _WEBHOOK_EMAIL_KINDS.get(subscriber.state, EmailRequestKind.ENDPOINT_CONFIRMATION)
    EmailRequest.objects.create(kind=kind, subscriber=subscriber)


def send_new_link(subscriber: Subscriber) -> None:
    """Request an email with the current link to the page that manages the subscription; at most one per day."""
    if subscriber.channel == Channel.EMAIL:
        request_subscription(subscriber.page, subscriber.email)
    elif subscriber.email:
        request_webhook(subscriber.page, subscriber.endpoint, subscriber.email)


@transaction.atomic
def reset_links(subscriber: Subscriber) -> None:
    """Revoke all links to manage and confirm the subscription, and request an email with a new one.

    The new link is only in that email, so a stolen link cannot be exchanged for a new one. There is no limit per day,
    because each reset needs a link that is still valid.
    """
    Subscriber.objects.filter(pk=subscriber.pk).update(link_key=new_public_id())
    subscriber.refresh_from_db()
    if subscriber.is_active and subscriber.email:
        EmailRequest.objects.create(kind=EmailRequestKind.REMINDER, subscriber=subscriber)
    elif subscriber.state == SubscriberState.PAUSED and subscriber.channel != Channel.EMAIL and subscriber.email:
        EmailRequest.objects.create(kind=EmailRequestKind.ENDPOINT_DISABLED, subscriber=subscriber)


# For a known webhook, the email links to the page that manages it.
_WEBHOOK_EMAIL_KINDS: dict[str, EmailRequestKind] = {
    SubscriberState.ACTIVE: EmailRequestKind.REMINDER,
    SubscriberState.PAUSED: EmailRequestKind.ENDPOINT_DISABLED,
}
