"""The demo's subscribers. All their addresses end in example.com, .org or .net, where no mail arrives (RFC 2606).

Where mail really leaves the house they are paused, so that nothing is sent to nobody.
"""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from incidents.models import Page
from statuspage.importers.demo.data import SubscribersText
from statuspage.subscribers.models import Subscriber, SubscriberState

MADE_UP = "Made up for the demo page: no mail can reach it."


def has_any(page: Page) -> bool:
    return Subscriber.objects.filter(page=page).exists()


def sign_up(page: Page, texts: Iterable[SubscribersText], *, seed: int, now: datetime) -> int:
    """Write the subscribers as if each had come in their own time; no mail is owed to any. Returns how many."""
    people = [_subscriber(page, text, email, seed, now) for text in texts for email in text.emails]
    return len(Subscriber.objects.bulk_create(sorted(people, key=lambda one: one.created_at)))


def _subscriber(page: Page, text: SubscribersText, email: str, seed: int, now: datetime) -> Subscriber:
    chance = random.Random(f"{seed} {email}")
    came = now - timedelta(days=text.days_old * chance.uniform(1, 1.3), minutes=chance.randint(90, 700))
    confirmed = came + timedelta(minutes=chance.uniform(0.5, 40))
    person = Subscriber(page=page, email=email, state=text.state, created_at=came, confirmation_sent_at=came)
    if text.state != SubscriberState.PENDING:
        person.confirmed_at = confirmed
    if text.state == SubscriberState.UNSUBSCRIBED:
        person.unsubscribed_at = confirmed + timedelta(days=text.days_old / 2)
    if text.state == SubscriberState.ACTIVE and settings.EMAIL_URL:
        person.state, person.paused_at, person.paused_reason = SubscriberState.PAUSED, now, MADE_UP
    return person
