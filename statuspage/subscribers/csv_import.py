"""Many subscribers at once, from a file: first what would become of each, then all of it in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from incidents.actor import Actor
from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.notifications.models import Delivery, DeliveryKind, Priority
from statuspage.subscribers.csv_format import Row
from statuspage.subscribers.models import Channel, Interest, Subscriber, SubscriberState
from statuspage.subscribers.preferences import set_preferences
from statuspage.subscribers.sign_up import request_subscription

BATCH = 500


@dataclass
class Plan:
    """`new` are not here yet, `waiting` not confirmed yet; `known` and those who have `left` stay as they are."""

    new: list[Row] = field(default_factory=list)
    waiting: list[tuple[Row, Subscriber]] = field(default_factory=list)
    known: list[Row] = field(default_factory=list)
    left: list[Row] = field(default_factory=list)


def plan(page: Page, rows: Sequence[Row]) -> Plan:
    """What an import would do. One query for each 500 rows."""
    made = Plan()
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        here = Subscriber.objects.by_emails(page, [row.email for row in part])
        for row in part:
            _sort(made, row, here.get(row.email))
    return made


def _sort(made: Plan, row: Row, subscriber: Subscriber | None) -> None:
    if subscriber is None:
        made.new.append(row)
    elif subscriber.state == SubscriberState.PENDING:
        made.waiting.append((row, subscriber))
    elif subscriber.state == SubscriberState.UNSUBSCRIBED:
        made.left.append(row)
    else:
        made.known.append(row)


@transaction.atomic
def import_rows(page: Page, rows: Sequence[Row], *, confirmed: bool, actor: Actor) -> Plan:
    """Sign them all up, or none. `confirmed`: staff has their word; else each is mailed and asked, after more urgent
    mails, at most once a day. IntegrityError if somebody signed up at the same moment.
    """
    made = plan(page, rows)
    _add(page, made.new, confirmed=confirmed)
    for row, subscriber in made.waiting:
        if confirmed:
            set_preferences(subscriber, row.preferences)
            subscriber.confirm()
        else:
            request_subscription(page, row.email, preferences=row.preferences)
    note(
        page,
        "subscribers.imported",
        actor=actor,
        object_type="page",
        object_ref=page.public_id,
        confirmed_by_staff=confirmed,
        added=len(made.new),
        waiting=len(made.waiting),
        known=len(made.known),
        left=len(made.left),
    )
    return made


def _add(page: Page, rows: Sequence[Row], *, confirmed: bool) -> None:
    now = timezone.now()
    state = SubscriberState.ACTIVE if confirmed else SubscriberState.PENDING
    when = {"confirmed_at": now} if confirmed else {"confirmation_sent_at": now}
    made = Subscriber.objects.bulk_create(
        (Subscriber(page=page, email=row.email, state=state, **when, **row.preferences.columns) for row in rows),
        batch_size=BATCH,
    )
    chosen = (one for row, person in zip(rows, made, strict=True) for one in row.preferences.interests(person))
    Interest.objects.bulk_create(chosen, batch_size=BATCH)
    if not confirmed:
        Delivery.objects.bulk_create(
            (
                Delivery(
                    kind=DeliveryKind.CONFIRMATION, subscriber=person, channel=Channel.EMAIL, priority=Priority.LOW
                )
                for person in made
            ),
            batch_size=BATCH,
        )
