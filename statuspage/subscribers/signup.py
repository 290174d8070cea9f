"""Asking to be told. The web process only writes to the database; the dispatcher sends what this records."""

from django.db import transaction

from incidents.models import Page
from statuspage.subscribers.models import Bounce, Delivery, DeliveryKind, Priority, Subscriber


@transaction.atomic
def request_subscription(page: Page, email: str) -> None:
    """Owe `email` a mail that asks to confirm, or says that it is confirmed already: at most one a day.

    Does the same amount of work and says nothing, whether the address is known or not.
    """
    subscriber = Subscriber.objects.sign_up(page, email)
    if subscriber is None or Bounce.objects.says_dead(subscriber):
        return
    Delivery.objects.replace_requests(subscriber)
    Delivery.objects.create(
        kind=DeliveryKind.REMINDER if subscriber.is_active else DeliveryKind.CONFIRMATION,
        subscriber=subscriber,
        channel=subscriber.channel,
        priority=Priority.URGENT,
    )
