"""Import subscribers from a file: a preview of the result, then all rows in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from django.db import transaction

from incidents import clock
from incidents.actor import Actor
from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.common.email_addresses import mailbox_key
from statuspage.subscribers.csv_format import Row
from statuspage.subscribers.models import EmailRequest, EmailRequestKind, Interest, Subscriber, SubscriberState
from statuspage.subscribers.preferences import set_preferences
from statuspage.subscribers.sign_up import request_subscription

BATCH = 500


@dataclass
class Plan:
    """The result of an import: `new` rows are added, `waiting` ones confirm first; `known` and `left` do not change."""

    new: list[Row] = field(default_factory=list)
    waiting: list[tuple[Row, Subscriber]] = field(default_factory=list)
    known: list[Row] = field(default_factory=list)
    left: list[Row] = field(default_factory=list)


def plan(page: Page, rows: Sequence[Row]) -> Plan:
    """Return what an import would do. One query per 500 rows."""
    result = Plan()
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        existing = Subscriber.objects.by_emails(page, [row.email for row in batch])
        for row in batch:
            _add_to_plan(result, row, existing.get(row.email))
    return result


def _add_to_plan(result: Plan, row: Row, subscriber: Subscriber | None) -> None:
    if subscriber is None:
        result.new.append(row)
    elif subscriber.state == SubscriberState.PENDING:
        result.waiting.append((row, subscriber))
    elif subscriber.state == SubscriberState.UNSUBSCRIBED:
        result.left.append(row)
    else:
        result.known.append(row)


@transaction.atomic
def import_rows(page: Page, rows: Sequence[Row], *, confirmed: bool, actor: Actor) -> Plan:
    """Subscribe all rows, or none.

    `confirmed`: they have agreed to receive messages. Otherwise each gets a confirmation email, at most once a day
    and after more urgent emails. IntegrityError if one of them subscribed at the same time.
    """
    result = plan(page, rows)
    _add(page, result.new, confirmed=confirmed)
    for row, subscriber in result.waiting:
        if confirmed:
            set_preferences(subscriber, row.preferences)
            subscriber.confirm()
        else:
            request_subscription(page, row.email, preferences=row.preferences, by_staff=True)
    note(
        page,
        "subscribers.imported",
        actor=actor,
        object_type="page",
        object_ref=page.public_id,
        confirmed_by_staff=confirmed,
        added=len(result.new),
        waiting=len(result.waiting),
        known=len(result.known),
        left=len(result.left),
    )
    return result


def _add(page: Page, rows: Sequence[Row], *, confirmed: bool) -> None:
    now = clock.now()
    state = SubscriberState.ACTIVE if confirmed else SubscriberState.PENDING
    timestamps = {"confirmed_at": now} if confirmed else {"confirmation_sent_at": now}
    subscribers = Subscriber.objects.bulk_create(
        (
            Subscriber(
                page=page,
                email=row.email,
                mailbox="" if confirmed else mailbox_key(row.email),
                state=state,
                **timestamps,
                **row.preferences.columns,
            )
            for row in rows
        ),
        batch_size=BATCH,
    )
    interests = chain.from_iterable(
        row.preferences.interests(subscriber) for row, subscriber in zip(rows, subscribers, strict=True)
    )
    Interest.objects.bulk_create(interests, batch_size=BATCH)
    if not confirmed:
        EmailRequest.objects.bulk_create(
            (
                EmailRequest(kind=EmailRequestKind.CONFIRMATION, subscriber=subscriber, is_bulk=True)
                for subscriber in subscribers
            ),
            batch_size=BATCH,
        )
