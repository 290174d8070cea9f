"""Signing up. The web process only writes to the database; `notifications` sends the requested emails."""

from django.db import transaction

from incidents.models import Page
from statuspage.subscribers.endpoints import new_secret
from statuspage.subscribers.models import EmailRequest, EmailRequestKind, Subscriber, SubscriberState, Suppression
from statuspage.subscribers.preferences import Preferences, preferences_of, set_preferences


@transaction.atomic
def request_subscription(page: Page, email: str, *, preferences: Preferences | None = None) -> bool:
    """Owe `email` a mail that asks to confirm, or says that it is confirmed already: at most one a day. Whether one is
    owed now is for staff; the public is answered the same, whether the address is known or not.

    Anyone can type an address, so `preferences` are kept only for whoever has to confirm them first. None: as they are.
    """
    subscriber = Subscriber.objects.sign_up(page, email)
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
    """Owe `email` a mail about its webhook at `endpoint`: at most one a day, however many endpoints are typed.

    `preferences`: see `request_subscription`.
    """
    subscriber = Subscriber.objects.sign_up_webhook(page, endpoint, email, secret=new_secret())
    if preferences:
        _save_preferences(Subscriber.objects.by_webhook(page, endpoint, email), preferences)
    if subscriber is None:
        return
    kind = _WEBHOOK_EMAIL_KINDS.get(subscriber.state, EmailRequestKind.ENDPOINT_CONFIRMATION)
    EmailRequest.objects.create(kind=kind, subscriber=subscriber)


# For a known webhook, the email links to the page that manages it.
_WEBHOOK_EMAIL_KINDS: dict[str, EmailRequestKind] = {
    SubscriberState.ACTIVE: EmailRequestKind.REMINDER,
    SubscriberState.PAUSED: EmailRequestKind.ENDPOINT_DISABLED,
}
