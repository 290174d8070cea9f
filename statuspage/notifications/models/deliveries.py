from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.db.models.sql import UpdateQuery

from incidents.models import Event, Incident, IncidentUpdate
from incidents.models.event_kinds import Priority
from statuspage.subscribers.models.channels import Channel
from statuspage.subscribers.models.database_time import from_now
from statuspage.subscribers.models.sql import columns, loaded
from statuspage.subscribers.models.subscribers import Subscriber, SubscriberState

# How long a claim holds without being renewed: so long do the rows of a killed worker wait for the next one.
LEASE = timedelta(seconds=15)


class DeliveryKind(models.TextChoices):
    EVENT = "event", "News"
    CONFIRMATION = "confirmation", "Confirmation request"
    REMINDER = "reminder", "Already subscribed"
    # About a webhook, by mail to its owner:
    ENDPOINT_CONFIRMATION = "endpoint.confirmation", "Confirmation request for a webhook"
    ENDPOINT_DISABLED = "endpoint.disabled", "Endpoint switched off"
    # To an endpoint itself:
    CHALLENGE = "challenge", "Challenge"
    TEST = "test", "Test message"
    # To a member of staff:
    STAFF_NOTICE = "staff.notice", "Notice to staff"
    PASSWORD_RESET = "account.password_reset", "Password reset"


class DeliveryState(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


@dataclass(frozen=True)
class Progress:
    """How far the deliveries of one event or update are. All zero until the dispatcher has fanned it out."""

    queued: int
    sent: int
    failed: int
    cancelled: int

    @property
    def total(self) -> int:
        return self.queued + self.sent + self.failed + self.cancelled

    @property
    def done(self) -> int:
        return self.total - self.queued

    @property
    def is_done(self) -> bool:
        return not self.queued


@cache
def _sent_statement(vendor: str) -> tuple[str, list[Any]]:
    """The UPDATE of `mark_sent` and its parameters, the last of which are the ids. Written once for each `vendor`."""
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
        """Due (for at least `since`), in nobody's hands, and first in line: nothing earlier about the same incident is
        still queued for the same subscriber."""
        earlier = Delivery.objects.queued().filter(
            subscriber=OuterRef("subscriber"),
            incident=OuterRef("incident"),
            incident__isnull=False,
            event_id__lt=OuterRef("event_id"),
        )
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
        # No lease is that long: it was given before the clock was set back. Not just over LEASE: Now() is when our
        # statement began, and another's, given meanwhile, may end a little later than one given by us.
        free |= Q(lease_until__gt=from_now(2 * LEASE))
        due = self.queued().filter(channel=channel, next_attempt_at__lte=from_now(-since) if since else Now())
        # Not `~Exists`: PostgreSQL would turn that into a join, and with statistics from a time when nothing was queued
        # read the whole queue for each row: 19 s for a claim, 100,000 queued. A subquery it asks once for each row.
        first = due.alias(waits_for=Subquery(earlier.values("pk")[:1])).filter(waits_for__isnull=True)
        return first.filter(free, priority__gte=0)

    def claim(self, channel: str, *, token: str, limit: int) -> list[Delivery]:
        """Take up to `limit` claimable rows for LEASE; `token` names the holder. No two holders ever share a row."""
        with transaction.atomic():
            taken = self._next_in_line(channel, limit)
            self.filter(pk__among=taken).update(lease_token=token, lease_until=from_now(LEASE))
        return self.filter(pk__among=taken).order_by("priority", "pk").for_sending()

    def _next_in_line(self, channel: str, limit: int) -> list[int]:
        """By priority, then oldest first. But where there is more than `limit`, half is for the newest urgent event:
        its first mails do not wait until those of an earlier one have all left."""
        due = self.claimable(channel).select_for_update(skip_locked=True)
        rows = due.order_by("priority", "next_attempt_at", "pk").values_list("pk", "event_id")[:limit]
        taken = dict(rows)
        if len(taken) < limit or limit < 2:
            return list(taken)
        # As a range, and ordered by it: so SQLite, too, sees that it may read the index backwards.
        urgent = due.filter(priority__lte=Priority.URGENT).order_by("-priority", "-next_attempt_at", "-pk")
        newest = urgent.values_list("event_id", flat=True).first()
        if newest in {None, *taken.values()}:
            return list(taken)
        fresh = list(urgent.filter(event=newest).values_list("pk", flat=True)[: limit // 2])
        return [*fresh, *list(taken)[: limit - len(fresh)]]

    def for_sending(self) -> list[Delivery]:
        """With subscribers and pages, and without the times that nobody asks for while sending.

        Made from bare rows: Django's own way takes as long for a row as all the rest of sending its mail.
        """
        rows = self.values_list(*_DELIVERY_COLUMNS, *(f"subscriber__{name}" for name in _SUBSCRIBER_COLUMNS))
        split = len(_DELIVERY_COLUMNS)
        deliveries = []
        for row in rows:
            has_subscriber = row[split] is not None
            related = {"subscriber": loaded(Subscriber, _SUBSCRIBER_COLUMNS, row[split:])} if has_subscriber else {}
            deliveries.append(loaded(Delivery, _DELIVERY_COLUMNS, row[:split], **related))
        models.prefetch_related_objects(deliveries, "subscriber__page")
        return deliveries

    def still_claimed(self, token: str, deliveries: list[Delivery]) -> list[Delivery]:
        """Those of `deliveries` that `token` still holds, their subscribers' states brought up to date."""
        held = self.claimed_by(token, [delivery.pk for delivery in deliveries])
        states = dict(held.values_list("pk", "subscriber__state"))
        for delivery in deliveries:
            if delivery.subscriber_id and delivery.pk in states:
                delivery.subscriber.state = states[delivery.pk]
        return [delivery for delivery in deliveries if delivery.pk in states]

    def claim_one_each(self, channel: str, *, token: str, limit: int) -> list[Delivery]:
        """As `claim`, but no more than one row per subscriber, and none for one who rests or is being sent to by
        anybody: an endpoint hears one thing at a time, however many workers there are."""
        in_hand = Delivery.objects.queued().filter(lease_until__gt=Now())
        awake = Q(subscriber__rests_until__isnull=True) | Q(subscriber__rests_until__lte=Now())
        with transaction.atomic():
            due = (
                self.claimable(channel).filter(awake).filter(~Exists(in_hand.filter(subscriber=OuterRef("subscriber"))))
            )
            due = due.order_by("priority", "next_attempt_at", "pk").select_for_update(skip_locked=True, of=("self",))
            first: dict[int, int] = {}
            for pk, subscriber_id in due.values_list("pk", "subscriber_id")[:limit]:
                first.setdefault(subscriber_id, pk)
            # Whoever holds the subscriber's row decides; what others gave out before that is seen by now.
            mine = (
                Subscriber.objects.filter(pk__in=first).select_for_update(skip_locked=True).values_list("pk", flat=True)
            )
            busy = set(in_hand.filter(subscriber__in=first).values_list("subscriber_id", flat=True))
            taken = [first[pk] for pk in mine if pk not in busy]
            self.filter(pk__in=taken).update(lease_token=token, lease_until=from_now(LEASE))
        return list(self.filter(pk__in=taken).select_related("subscriber__page").order_by("priority", "pk"))

    def claimed_by(self, token: str, ids: list[int]) -> DeliveryQuerySet:
        return self.queued().filter(pk__among=ids, lease_token=token)

    def renew(self, token: str, ids: list[int]) -> None:
        self.claimed_by(token, ids).update(lease_until=from_now(LEASE))

    def release(self, token: str, ids: list[int]) -> None:
        """Give back what was claimed and not tried: due as before, no attempt burned."""
        self.claimed_by(token, ids).update(lease_until=None, lease_token="")

    def mark_sent(self, ids: list[int]) -> None:
        """The other side accepted these. True whoever holds them now."""
        statement, params = _sent_statement(connection.vendor)
        among: Any = ids if connection.vendor == "postgresql" else json.dumps(ids)
        with connection.cursor() as cursor:
            cursor.execute(statement, [*params, among])

    def last_recipient_of(self, event: Event) -> int:
        """The highest subscriber's id that has a delivery of `event`; 0 if none has."""
        last: int | None = self.filter(event=event).aggregate(last=Max("subscriber_id"))["last"]
        return last or 0

    def replace_requests(self, subscribers: list[int]) -> None:
        """Cancel unsent messages about the subscriptions themselves: newer ones are about to be queued."""
        waiting = self.queued().filter(subscriber__in=subscribers, event__isnull=True, lease_until__isnull=True)
        waiting.update(state=DeliveryState.CANCELLED, last_error="A newer one was requested before this was sent.")

    def hasten(self, subscriber: Subscriber) -> None:
        """Its endpoint works again: what waits for a later attempt is due now."""
        waiting = self.queued().filter(subscriber=subscriber, lease_until__isnull=True, next_attempt_at__gt=Now())
        waiting.update(next_attempt_at=Now())

    def progress(self, about: Event | IncidentUpdate) -> Progress:
        """Counts by state for an event, or for all events of an update, in one query."""
        mine = self.filter(event=about) if isinstance(about, Event) else self.filter(event__update=about)
        counts = mine.aggregate(**{state.value: Count("pk", filter=Q(state=state)) for state in DeliveryState})
        return Progress(**counts)

    def newest_first(self) -> DeliveryQuerySet:
        return self.order_by("-pk")

    def of_event(self, event: Event) -> DeliveryQuerySet:
        return self.filter(event=event)

    def of_subscriber(self, subscriber: Subscriber) -> DeliveryQuerySet:
        return self.filter(subscriber=subscriber)

    def in_state(self, state: str) -> DeliveryQuerySet:
        """An empty or unknown `state` means all."""
        return self.filter(state=state) if state in DeliveryState.values else self

    def failed(self) -> DeliveryQuerySet:
        return self.filter(state=DeliveryState.FAILED)

    def worth_retrying(self) -> DeliveryQuerySet:
        """To somebody who is still told of things, and not overtaken by later news of the same incident."""
        later = Delivery.objects.filter(
            subscriber=OuterRef("subscriber"),
            incident=OuterRef("incident"),
            event_id__gt=OuterRef("event_id"),
        )
        # Not by its state alone: what was accepted once may be in the queue again, or have failed since.
        later = later.filter(Q(state=DeliveryState.SENT) | Q(sent_at__isnull=False))
        active = Subscriber.objects.filter(pk=OuterRef("subscriber"), state=SubscriberState.ACTIVE)
        return self.filter(Exists(active), ~Exists(later))

    def requeue(self) -> int:
        """From the first attempt on, at once. The last answer stays to be read until there is a new one."""
        return self.update(
            state=DeliveryState.QUEUED,
            attempts=0,
            in_doubt=0,
            next_attempt_at=Now(),
            lease_until=None,
            lease_token="",
        )

    def with_story(self) -> DeliveryQuerySet:
        """With what a table of deliveries says: to whom and about what."""
        return self.select_related("subscriber__page", "incident", "event__update", "event__component")

    def to_endpoint(self, subscriber: Subscriber) -> DeliveryQuerySet:
        """What was, or is to be, sent to it, newest first; mails to its owner are left out."""
        mine = self.filter(subscriber=subscriber, channel=subscriber.channel)
        return mine.select_related("incident", "event__component").newest_first()

    def settled(self) -> DeliveryQuerySet:
        return self.exclude(state=DeliveryState.QUEUED)


class Delivery(models.Model):
    """One mail (or call) to one subscriber: what the ledger promises to send, and what became of it.

    An event is told to a subscriber at most once, so the pair is unique; confirmations have no event. `last_error` is
    for people: the last answer of the other side, or why it was cancelled. All times are the database's.
    """

    kind = models.CharField(max_length=24, choices=DeliveryKind, default=DeliveryKind.EVENT)
    event = models.ForeignKey(Event, models.CASCADE, null=True, blank=True, related_name="deliveries", db_index=False)
    # A copy of the event's: what orders the mails of one subscriber.
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, blank=True, related_name="+", db_index=False)
    # Null only for deliveries to staff, whose code never reads it: hence the type.
    subscriber: models.ForeignKey[Subscriber, Subscriber] = models.ForeignKey(  # type: ignore[misc]
        Subscriber, models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    address = models.EmailField(blank=True, db_default="")
    # What a person is notified about.
    notice = models.ForeignKey(
        "notifications.StaffNotice", models.CASCADE, null=True, blank=True, related_name="deliveries", db_index=False
    )
    channel = models.CharField(max_length=12, choices=Channel)
    priority = models.PositiveSmallIntegerField(choices=Priority)
    state = models.CharField(max_length=10, choices=DeliveryState, db_default=DeliveryState.QUEUED)
    attempts = models.PositiveIntegerField(db_default=0)
    # Attempts that the other side never answered: perhaps it has them.
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
            models.UniqueConstraint(fields=["event", "subscriber"], name="told_once"),
            models.UniqueConstraint(
                fields=["notice", "person"], condition=Q(notice__isnull=False), name="notified_once"
            ),
            models.CheckConstraint(
                condition=Q(subscriber__isnull=False, person__isnull=True, address="")
                | Q(subscriber__isnull=True, person__isnull=False, address="")
                | (Q(subscriber__isnull=True, person__isnull=True) & ~Q(address="")),
                name="delivery_has_one_recipient",
            ),
            models.CheckConstraint(
                condition=Q(kind=DeliveryKind.EVENT, event__isnull=False)
                | (~Q(kind=DeliveryKind.EVENT) & Q(event__isnull=True)),
                name="news_has_an_event",
            ),
        ]
        # Both hold queued rows only: what a claim costs does not grow with what was sent. Their conditions differ, so
        # that neither can be taken for the other when the database believes that nothing is queued.
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
        return f"{self.kind} #{self.pk} to {self.subscriber or self.person or self.address}: {self.state}"

    @property
    def email(self) -> str:
        """The mail address it goes to."""
        if self.person:
            return self.person.email
        return self.subscriber.email if self.subscriber_id else self.address

    @property
    def about(self) -> str:
        """What it tells, in a word or two: the update's label, `Postmortem`, or the kind of mail."""
        if self.event is None:
            return self.get_kind_display()
        return self.event.update.label if self.event.update else "Postmortem"

    def replay(self) -> bool:
        """Send it again from the first attempt on, under the same id. False if it is still waiting to be sent.

        `sent_at` stays: it was accepted once, whatever becomes of it now.
        """
        return bool(
            Delivery.objects.settled()
            .filter(pk=self.pk)
            .update(state=DeliveryState.QUEUED, attempts=0, in_doubt=0, next_attempt_at=Now(), last_error="")
        )

    @property
    def subject(self) -> str:
        """What it is about, for a list."""
        if self.incident:
            return self.incident.title
        if self.event and self.event.component:
            return f"{self.event.component.name}: {self.event.get_new_status_display()}"
        return self.get_kind_display()

    def defer(self, error: str, *, after: timedelta, in_doubt: bool = False) -> None:
        """Not now; again `after` that time. Burns an attempt. `in_doubt`: it may have arrived all the same."""
        self._settle(
            last_error=error,
            attempts=F("attempts") + 1,
            in_doubt=F("in_doubt") + int(in_doubt),
            next_attempt_at=from_now(after),
        )

    def fail(self, error: str) -> None:
        """Not ever."""
        self._settle(last_error=error, attempts=F("attempts") + 1, state=DeliveryState.FAILED)

    def cancel(self, reason: str) -> None:
        """No longer wanted. Of a notice to staff nothing remains, so that it can be created again."""
        if self.notice_id is None:
            self._settle(last_error=reason, state=DeliveryState.CANCELLED)
            return
        Delivery.objects.claimed_by(self.lease_token, [self.pk]).delete()
        if self.notice and not self.notice.deliveries.exists():
            self.notice.delete()

    def _settle(self, **changes: Any) -> None:
        """Only its holder may: when the lease ran out, somebody else answers for the row."""
        mine = Delivery.objects.claimed_by(self.lease_token, [self.pk])
        mine.update(lease_until=None, lease_token="", **changes)


_DELIVERY_COLUMNS = columns(Delivery, without={"next_attempt_at", "lease_until", "created_at", "sent_at"})
_SUBSCRIBER_COLUMNS = columns(
    Subscriber, without={"created_at", "confirmation_sent_at", "confirmed_at", "paused_at", "unsubscribed_at"}
)
