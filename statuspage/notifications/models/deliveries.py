from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Now
from django.db.models.sql import UpdateQuery

from incidents.models import Event, Incident, IncidentUpdate, Page
from incidents.models.base import new_key
from incidents.models.event_kinds import Priority
from statuspage.notifications.models.claim_position import ClaimPosition
from statuspage.notifications.models.delivery_states import DeliveryKind, DeliveryState, Progress
from statuspage.notifications.models.delivery_totals import DeliveryTotal
from statuspage.subscribers.models.channels import Channel
from statuspage.subscribers.models.database_time import from_now
from statuspage.subscribers.models.sql import columns, loaded
from statuspage.subscribers.models.subscribers import Subscriber, SubscriberState

# How long a claim lasts without renewal. After this time another worker can take the rows of a killed one.
LEASE = timedelta(seconds=15)


@cache
def _sent_statement(vendor: str) -> tuple[str, list[Any]]:
    """Return the UPDATE of `mark_sent` and its parameters without the IDs, which come last. Cached per `vendor`."""
    query: Any = Delivery.objects.filter(pk__among=[]).query.chain(UpdateQuery)
    query.add_update_values(
        {
            "state": DeliveryState.SENT,
            "attempts": F("attempts") + 1,
            "sent_at": Now(),
            "last_error": "",
            "lease_until": None,
            "lease_token": "",
        }
    )
    statement, params = query.get_compiler(connection=connection).as_sql()
    return statement, list(params)[:-1]


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def queued(self) -> DeliveryQuerySet:
        return self.filter(state=DeliveryState.QUEUED)

    def claimable(self, channel: str, *, since: timedelta = timedelta(0)) -> DeliveryQuerySet:
        """Deliveries that are due (for at least `since`), not claimed, and next in order.

        Next in order: no earlier delivery about the same incident is still queued for the same subscriber.
        """
        earlier = Delivery.objects.queued().filter(
            subscriber=OuterRef("subscriber"),
            incident=OuterRef("incident"),
            incident__isnull=False,
            event_id__lt=OuterRef("event_id"),
        )
        unclaimed = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
        # A longer lease was given before the clock was set back. The limit is twice LEASE because Now() is the start of
        # this statement: a lease that was given since may end a little later.
        unclaimed |= Q(lease_until__gt=from_now(2 * LEASE))
        due = self.queued().filter(channel=channel, next_attempt_at__lte=from_now(-since) if since else Now())
        # Not `~Exists`: PostgreSQL turns it into a join and, with outdated statistics from an empty queue, reads the
        # whole queue for each row (19 s per claim with 100,000 rows). It runs a subquery once per row.
        first = due.alias(waits_for=Subquery(earlier.values("pk")[:1])).filter(waits_for__isnull=True)
        return first.filter(unclaimed, priority__gte=0)

    def claim(self, channel: str, *, token: str, limit: int, position: ClaimPosition | None = None) -> list[Delivery]:
        """Claim up to `limit` rows for LEASE. `token` identifies the holder. A row never has two holders.

        `position` is that of the run; without one, all due rows are read.
        """
        with transaction.atomic():
            due = self.claimable(channel).select_for_update(skip_locked=True)
            taken = (position or ClaimPosition()).next_ids(due, limit)
            self.filter(pk__among=taken).update(lease_token=token, lease_until=from_now(LEASE))
        return self.filter(pk__among=taken).order_by("priority", "pk").for_sending()

    def for_sending(self) -> list[Delivery]:
        """Load deliveries with subscribers and pages, without the fields that sending does not need.

        Objects are built from plain rows. Loading them the usual way takes as long as the rest of sending an email.
        """
        rows = list(self.values_list(*_DELIVERY_COLUMNS, *(f"subscriber__{name}" for name in _SUBSCRIBER_COLUMNS)))
        split = len(_DELIVERY_COLUMNS)
        page_column = split + _SUBSCRIBER_COLUMNS.index("page_id")
        pages = Page.objects.in_bulk({row[page_column] for row in rows} - {None})
        deliveries = []
        for row in rows:
            subscriber = None
            if page := pages.get(row[page_column]):
                subscriber = loaded(Subscriber, _SUBSCRIBER_COLUMNS, row[split:], page=page)
            deliveries.append(loaded(Delivery, _DELIVERY_COLUMNS, row[:split], subscriber=subscriber))
        return deliveries

    def still_claimed(self, token: str, deliveries: list[Delivery]) -> list[Delivery]:
        """Return the `deliveries` that `token` still holds, with the current states of their subscribers."""
        held = self.claimed_by(token, [delivery.pk for delivery in deliveries])
        states = dict(held.values_list("pk", "subscriber__state"))
        for delivery in deliveries:
            if delivery.subscriber_id and delivery.pk in states:
                delivery.subscriber.state = states[delivery.pk]
        return [delivery for delivery in deliveries if delivery.pk in states]

    def claim_one_each(self, channel: str, *, token: str, limit: int) -> list[Delivery]:
        """Like `claim`, but at most one row per subscriber, and none for subscribers that are backing off.

        An endpoint receives one request at a time, regardless of the number of workers.
        """
        claimed = Delivery.objects.queued().filter(lease_until__gt=Now())
        ready = Q(subscriber__rests_until__isnull=True) | Q(subscriber__rests_until__lte=Now())
        with transaction.atomic():
            due = (
                self.claimable(channel).filter(ready).filter(~Exists(claimed.filter(subscriber=OuterRef("subscriber"))))
            )
            due = due.order_by("priority", "next_attempt_at", "pk").select_for_update(skip_locked=True, of=("self",))
            first: dict[int, int] = {}
            for pk, subscriber_id in due.values_list("pk", "subscriber_id")[:limit]:
                first.setdefault(subscriber_id, pk)
            # The lock on the subscriber decides. Claims that other workers made before it are visible now.
            locked = (
                Subscriber.objects.filter(pk__in=first).select_for_update(skip_locked=True).values_list("pk", flat=True)
            )
            busy = set(claimed.filter(subscriber__in=first).values_list("subscriber_id", flat=True))
            taken = [first[pk] for pk in locked if pk not in busy]
            self.filter(pk__in=taken).update(lease_token=token, lease_until=from_now(LEASE))
        return list(self.filter(pk__in=taken).select_related("subscriber__page").order_by("priority", "pk"))

    def claimed_by(self, token: str, ids: list[int]) -> DeliveryQuerySet:
        return self.queued().filter(pk__among=ids, lease_token=token)

    def renew(self, token: str, ids: list[int]) -> None:
        self.claimed_by(token, ids).update(lease_until=from_now(LEASE))

    def release(self, token: str, ids: list[int]) -> None:
        """Release claimed deliveries that were not attempted. They are due as before, and no attempt is counted."""
        self.claimed_by(token, ids).update(lease_until=None, lease_token="")

    def mark_deferred(self, error: str, *, after: timedelta, in_doubt: bool = False) -> None:
        """Count a failed attempt of each claimed delivery and retry `after` that time."""
        changes = {"attempts": F("attempts") + 1, "in_doubt": F("in_doubt") + int(in_doubt)}
        self.settle(last_error=error, next_attempt_at=from_now(after), **changes)

    def mark_failed(self, error: str) -> None:
        self.settle(last_error=error, attempts=F("attempts") + 1, state=DeliveryState.FAILED)

    def settle(self, **changes: Any) -> None:
        """Save the outcome of claimed deliveries and end their leases."""
        self.update(lease_until=None, lease_token="", **changes)

    def mark_sent(self, ids: list[int]) -> None:
        """Mark these as sent. Applies whoever holds them now, because the server has accepted them."""
        statement, params = _sent_statement(connection.vendor)
        among: Any = ids if connection.vendor == "postgresql" else json.dumps(ids)
        with connection.cursor() as cursor:
            cursor.execute(statement, [*params, among])

    def emails_waiting(self, since: timedelta) -> DeliveryQuerySet:
        """Return the emails that have been due for longer than `since`."""
        return self.queued().filter(channel=Channel.EMAIL, next_attempt_at__lt=from_now(-since), priority__gte=0)

    def last_recipient_of(self, event: Event) -> int:
        """Return the highest ID of the subscribers that have a delivery of `event`, or 0."""
        last: int | None = self.filter(event=event).aggregate(last=Max("subscriber_id"))["last"]
        return last or 0

    def replace_requests(self, subscribers: list[int]) -> None:
        """Cancel unsent messages about these subscriptions, because newer ones are about to be queued."""
        waiting = self.queued().filter(subscriber__in=subscribers, event__isnull=True, lease_until__isnull=True)
        waiting.update(state=DeliveryState.CANCELED, last_error="A newer message was requested before this was sent.")

    def make_due(self, subscriber: Subscriber) -> None:
        """Make waiting deliveries due now, because the endpoint works again."""
        waiting = self.queued().filter(subscriber=subscriber, lease_until__isnull=True, next_attempt_at__gt=Now())
        waiting.update(next_attempt_at=Now())

    def progress(self, about: Event | IncidentUpdate) -> Progress:
        """Return the counts by state for an event, or for all events of an update, with those of removed rows.

        One query.
        """
        mine = Q(event=about) if isinstance(about, Event) else Q(event__update=about)
        stored = self.filter(mine).order_by().values_list("state").annotate(number=Count("pk"), removed=Value(0))
        totals = DeliveryTotal.objects.filter(mine).order_by()
        removed = totals.values_list("state").annotate(number=Value(0), removed=Sum("count"))
        counts: Counter[str] = Counter()
        for state, number, number_removed in stored.union(removed, all=True):
            counts[state] += number + number_removed
            counts["removed"] += number_removed
            counts["retryable"] += number if state == DeliveryState.FAILED else 0
        return Progress(**{name: counts[name] for name in (*DeliveryState.values, "removed", "retryable")})

    def newest_first(self) -> DeliveryQuerySet:
        return self.order_by("-pk")

    def of_event(self, event: Event) -> DeliveryQuerySet:
        return self.filter(event=event)

    def of_subscriber(self, subscriber: Subscriber) -> DeliveryQuerySet:
        return self.filter(subscriber=subscriber)

    def in_state(self, state: str) -> DeliveryQuerySet:
        """Filter by `state`. An empty or unknown `state` returns all."""
        return self.filter(state=state) if state in DeliveryState.values else self

    def failed(self) -> DeliveryQuerySet:
        return self.filter(state=DeliveryState.FAILED)

    def worth_retrying(self) -> DeliveryQuerySet:
        """Deliveries to active subscribers without a later sent delivery about the same incident."""
        later = Delivery.objects.filter(
            subscriber=OuterRef("subscriber"),
            incident=OuterRef("incident"),
            event_id__gt=OuterRef("event_id"),
        )
        # Not only by state: a delivery that was accepted once may be queued again or have failed since.
        later = later.filter(Q(state=DeliveryState.SENT) | Q(sent_at__isnull=False))
        active = Subscriber.objects.filter(pk=OuterRef("subscriber"), state=SubscriberState.ACTIVE)
        return self.filter(Exists(active), ~Exists(later))

    def requeue(self) -> int:
        """Queue again from the first attempt, due now. Keeps the last error until there is a new one."""
        return self.update(
            state=DeliveryState.QUEUED,
            attempts=0,
            in_doubt=0,
            next_attempt_at=Now(),
            lease_until=None,
            lease_token="",
        )

    def with_details(self) -> DeliveryQuerySet:
        """Load what a table of deliveries shows."""
        return self.select_related("subscriber__page", "incident", "event__update", "event__component")

    def to_endpoint(self, subscriber: Subscriber) -> DeliveryQuerySet:
        """Deliveries to the endpoint of `subscriber`, newest first, without emails to its owner."""
        mine = self.filter(subscriber=subscriber, channel=subscriber.channel)
        return mine.select_related("incident", "event__component").newest_first()

    def settled(self) -> DeliveryQuerySet:
        return self.exclude(state=DeliveryState.QUEUED)


class Delivery(models.Model):
    """One message to one recipient (a subscriber or a person), and its state.

    Each subscriber gets at most one delivery per event. Confirmations have no event. `last_error` is for staff: the
    last response of the server, or why the delivery was canceled. All times are from the database clock.
    """

    kind = models.CharField(max_length=24, choices=DeliveryKind, default=DeliveryKind.EVENT)
    # Identifies a message without an event. Fan-out leaves it empty: the event has a key of its own.
    key = models.CharField(max_length=32, default=new_key, db_default="", editable=False)
    event = models.ForeignKey(Event, models.CASCADE, null=True, blank=True, related_name="deliveries", db_index=False)
    # A copy of the event's incident, used to order the deliveries of one subscriber.
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, blank=True, related_name="+", db_index=False)
    # Null only for deliveries to staff, whose code never reads it. The type therefore omits None.
    subscriber: models.ForeignKey[Subscriber, Subscriber] = models.ForeignKey(  # type: ignore[misc]
        Subscriber, models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    # What a person is notified about.
    notice = models.ForeignKey(
        "notifications.StaffNotice", models.CASCADE, null=True, blank=True, related_name="deliveries", db_index=False
    )
    channel = models.CharField(max_length=12, choices=Channel)
    priority = models.PositiveSmallIntegerField(choices=Priority)
    state = models.CharField(max_length=10, choices=DeliveryState, db_default=DeliveryState.QUEUED)
    attempts = models.PositiveIntegerField(db_default=0)
    # Attempts without a response: they may have arrived.
    in_doubt = models.PositiveSmallIntegerField(db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.CharField(max_length=16, blank=True, db_default="")
    last_error = models.TextField(blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "subscriber"], name="delivered_once"),
            models.UniqueConstraint(
                fields=["notice", "person"], condition=Q(notice__isnull=False), name="notified_once"
            ),
            models.CheckConstraint(
                condition=Q(subscriber__isnull=False, person__isnull=True)
                | Q(subscriber__isnull=True, person__isnull=False),
                name="delivery_has_one_recipient",
            ),
            models.CheckConstraint(
                condition=Q(kind=DeliveryKind.EVENT, event__isnull=False)
                | (~Q(kind=DeliveryKind.EVENT) & Q(event__isnull=True)),
                name="notification_has_an_event",
            ),
        ]
        # Both contain only queued rows, so the cost of a claim does not grow with sent deliveries. Their conditions
        # differ, so that the database does not use the wrong one when its statistics show an empty queue.
        indexes = [
            models.Index(
                fields=["channel", "priority", "next_attempt_at", "id"],
                condition=Q(state="queued", priority__gte=0),
                name="delivery_due",
            ),
            models.Index(
                fields=["subscriber", "incident", "event"],
                condition=Q(state="queued", incident__isnull=False),
                name="delivery_in_order",
            ),
            models.Index(fields=["person"], condition=Q(person__isnull=False), name="delivery_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk} to {self.subscriber or self.person}: {self.state}"

    @property
    def email(self) -> str:
        """Return the recipient's email address."""
        return self.person.email if self.person_id and self.person else self.subscriber.email

    @property
    def about(self) -> str:
        """Return a short label: the update's label, `Postmortem`, or the kind of email."""
        if self.event is None:
            return self.get_kind_display()
        return self.event.update.label if self.event.update else "Postmortem"

    def replay(self) -> bool:
        """Queue it again from the first attempt, under the same ID. Return False if it is still queued.

        Keeps `sent_at`, because it was accepted once.
        """
        return bool(
            Delivery.objects.settled()
            .filter(pk=self.pk)
            .update(state=DeliveryState.QUEUED, attempts=0, in_doubt=0, next_attempt_at=Now(), last_error="")
        )

    @property
    def subject(self) -> str:
        """Return its subject, for a list."""
        if self.incident:
            return self.incident.title
        if self.event and self.event.component:
            return f"{self.event.component.name}: {self.event.get_new_status_display()}"
        return self.get_kind_display()

    def defer(self, error: str, *, after: timedelta, in_doubt: bool = False) -> None:
        """Count a failed attempt and retry `after` that time. `in_doubt`: it may have arrived nevertheless."""
        self._claimed().mark_deferred(error, after=after, in_doubt=in_doubt)

    def fail(self, error: str) -> None:
        """Mark as failed. It is not retried."""
        self._claimed().mark_failed(error)

    def cancel(self, reason: str) -> None:
        """Cancel it. A delivery of a staff notice is deleted instead, so that it can be created again."""
        if self.notice_id is None:
            self._claimed().settle(last_error=reason, state=DeliveryState.CANCELED)
            return
        self._claimed().delete()
        if self.notice and not self.notice.deliveries.exists():
            self.notice.delete()

    def _claimed(self) -> DeliveryQuerySet:
        """Return this row, or none if the lease expired and another worker holds it."""
        return Delivery.objects.claimed_by(self.lease_token, [self.pk])


# What sending does not need. Reading one of these later takes a query.
_DELIVERY_COLUMNS = columns(
    Delivery,
    without={"priority", "state", "last_error", "next_attempt_at", "lease_until", "created_at", "sent_at"},
)
_SUBSCRIBER_COLUMNS = columns(
    Subscriber,
    without={
        *("created_at", "confirmation_sent_at", "confirmed_at", "paused_at", "unsubscribed_at", "mailbox", "name"),
        *("secret", "secret_shown_at", "old_secret", "old_secret_until", "failures", "rests_until"),
        *("whole_page", "tells_incidents", "tells_maintenances", "tells_postmortems", "detail"),
    },
)
