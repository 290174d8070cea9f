"""Asking to be told. The web process only writes to the database; the dispatcher sends what this records."""

from django.db import transaction

from incidents.models import Page
from statuspage.notifications.endpoints import new_secret
from statuspage.notifications.models import Bounce, Delivery, DeliveryKind, Priority
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
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
    if subscriber is None or Bounce.objects.says_dead(subscriber):
        return False
    Delivery.objects.replace_requests(subscriber)
    Delivery.objects.create(
        kind=DeliveryKind.REMINDER if subscriber.is_active else DeliveryKind.CONFIRMATION,
        subscriber=subscriber,
        channel=subscriber.channel,
        priority=Priority.URGENT,
    )
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
    Delivery.objects.replace_requests(subscriber)
    Delivery.objects.create(
        kind=_KIND_OF_MAIL.get(subscriber.state, DeliveryKind.ENDPOINT_CONFIRMATION),
        subscriber=subscriber,
        channel=Channel.EMAIL,
        priority=Priority.URGENT,
    )


# Whoever asks for what there is already is led to the page where they manage it.
_KIND_OF_MAIL: dict[str, DeliveryKind] = {
    SubscriberState.ACTIVE: DeliveryKind.REMINDER,
    SubscriberState.PAUSED: DeliveryKind.ENDPOINT_DISABLED,
}
