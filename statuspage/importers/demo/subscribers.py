"""Write the subscribers of the demo, with addresses under example.com, .org and .net (RFC 2606).

If a mail server is configured they are paused, so that no emails are sent to them.
"""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from incidents.models import Page
from statuspage.importers.demo.data import SubscribersText
from statuspage.subscribers.models import Subscriber, SubscriberState

DEMO_ADDRESS = "Demo address that cannot receive email."


def has_any(page: Page) -> bool:
    return Subscriber.objects.filter(page=page).exists()


def sign_up(page: Page, texts: Iterable[SubscribersText], *, seed: int, now: datetime) -> int:
    """Create the subscribers, backdated and without confirmation emails. Return how many."""
    subscribers = [_subscriber(page, text, email, seed, now) for text in texts for email in text.emails]
    return len(Subscriber.objects.bulk_create(sorted(subscribers, key=lambda subscriber: subscriber.created_at)))


def _subscriber(page: Page, text: SubscribersText, email: str, seed: int, now: datetime) -> Subscriber:
    rng = random.Random(f"{seed} {email}")
    created_at = now - timedelta(days=text.days_old * rng.uniform(1, 1.3), minutes=rng.randint(90, 700))
    confirmed_at = created_at + timedelta(minutes=rng.uniform(0.5, 40))
    subscriber = Subscriber(
        page=page, email=email, state=text.state, created_at=created_at, confirmation_sent_at=created_at
    )
    if text.state != SubscriberState.PENDING:
        subscriber.confirmed_at = confirmed_at
    if text.state == SubscriberState.UNSUBSCRIBED:
        subscriber.unsubscribed_at = confirmed_at + timedelta(days=text.days_old / 2)
    if text.state == SubscriberState.ACTIVE and settings.EMAIL_URL:
        subscriber.state, subscriber.paused_at, subscriber.paused_reason = SubscriberState.PAUSED, now, DEMO_ADDRESS
    return subscriber
