from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from incidents.models import Incident, Page
from incidents.models.base import new_public_id
from incidents.models.pages import validate_time_zone
from statuspage.subscribers.models.channels import Channel, channels_for
from statuspage.subscribers.models.database_time import from_now
from statuspage.subscribers.models.matching import EventScope
from statuspage.subscribers.models.subscriptions import Detail, Interest

ONE_MAIL_PER = timedelta(days=1)
UNCONFIRMED_KEPT = timedelta(days=30)
# How the reason begins when staff paused an endpoint; after it, who did.
BY_STAFF = "By "


class SubscriberState(models.TextChoices):
    PENDING = "pending", "Not confirmed yet"
    # Webhooks only: the owner's mail is confirmed, the endpoint has not answered our challenge yet.
    VERIFYING = "verifying", "Waiting for the endpoint"
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    UNSUBSCRIBED = "unsubscribed", "Unsubscribed"


def normalise(email: str) -> str:
    """One spelling per mailbox that people take for one: no blanks around it, lower case."""
    return email.strip().lower()


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def of_page(self, page: Page) -> SubscriberQuerySet:
        return self.filter(page=page)

    def audience(self, page: Page, *, at: datetime | None = None) -> SubscriberQuerySet:
        """Who is told of what happens on `page` now, or of what happened `at`: confirmed by then, and still there."""
        told = self.filter(page=page, state=SubscriberState.ACTIVE)
        return told if at is None else told.filter(confirmed_at__lte=at)

    def concerned_by(self, concern: EventScope) -> SubscriberQuerySet:
        """Who chose to hear of such a thing: scope, kind and detail."""
        return self.filter(concern.condition())

    def by_channel(self) -> dict[str, int]:
        """How many there are, by the channel's name for people; the most first."""
        counted = self.order_by().values_list("channel").annotate(many=models.Count("pk")).order_by("-many", "channel")
        return {Channel(channel).label: many for channel, many in counted}

    def with_preferences(self) -> SubscriberQuerySet:
        return self.prefetch_related(models.Prefetch("interests", Interest.objects.with_names()))

    def listening(self, kind: str) -> SubscriberQuerySet:
        """Those whose channel carries news of this kind of event."""
        return self.filter(channel__in=channels_for(kind))

    def endpoints(self) -> SubscriberQuerySet:
        return self.exclude(channel=Channel.EMAIL)

    def on_channels(self, channels: Collection[str]) -> SubscriberQuerySet:
        return self.filter(channel__in=channels)

    def in_states(self, states: Collection[str]) -> SubscriberQuerySet:
        return self.filter(state__in=states)

    def searched(self, words: str) -> SubscriberQuerySet:
        """An address, or a part of one."""
        return self.filter(Q(email__icontains=words) | Q(endpoint__icontains=words) | Q(name__icontains=words))

    def called(self, words: str) -> SubscriberQuerySet:
        return self.filter(name__icontains=words)

    def choosing(self, incident: Incident) -> SubscriberQuerySet:
        """Those who chose this very incident."""
        return self.filter(interests__incident=incident)

    def with_codes(self, public_ids: Collection[str]) -> SubscriberQuerySet:
        return self.filter(public_id__in=public_ids)

    def tally(self) -> list[tuple[str, str, int]]:
        """Channel, state, and how many there are of them."""
        counted = self.order_by().values_list("channel", "state").annotate(number=models.Count("pk"))
        return [(channel, state, number) for channel, state, number in counted]

    def newest_first(self) -> SubscriberQuerySet:
        return self.order_by("-created_at", "-pk")

    def by_email(self, page: Page, email: str) -> Subscriber | None:
        return self.filter(page=page, channel=Channel.EMAIL, email=normalise(email)).first()

    def by_webhook(self, page: Page, endpoint: str, email: str) -> Subscriber | None:
        """Signed up by its owner at `email`."""
        mine = self.filter(page=page, channel=Channel.WEBHOOK, email=normalise(email), endpoint=endpoint)
        return mine.first()

    def by_emails(self, page: Page, emails: Collection[str]) -> dict[str, Subscriber]:
        """`emails` normalised. By address; those that are not here are left out."""
        found = self.filter(page=page, channel=Channel.EMAIL, email__in=emails)
        return {subscriber.email: subscriber for subscriber in found}

    def create_for(self, page: Page, email: str, **fields: Any) -> Subscriber:
        return self.create(page=page, channel=Channel.EMAIL, email=normalise(email), **fields)

    def by_public_id(self, public_id: str) -> Subscriber | None:
        return self.filter(public_id=public_id).select_related("page").first()

    def sign_up(self, page: Page, email: str) -> Subscriber | None:
        """The subscriber whom a mail is now owed, at most once a day per address however many ask at once; else None.

        Call it inside the transaction that records the mail.
        """
        subscriber, _ = self.get_or_create(page=page, channel=Channel.EMAIL, email=normalise(email), endpoint="")
        now = timezone.now()
        waited = Q(confirmation_sent_at__isnull=True) | Q(confirmation_sent_at__lte=now - ONE_MAIL_PER)
        owed = self.filter(waited, pk=subscriber.pk).update(confirmation_sent_at=now)
        return subscriber if owed else None

    def sign_up_webhook(self, page: Page, endpoint: str, email: str, *, secret: str) -> Subscriber | None:
        """As `sign_up`, for the endpoint of somebody at `email`. Who types many endpoints makes no more mails.

        Call it inside the transaction that records the mail.
        """
        # One at a time: else two endpoints typed at the same moment were two mails.
        Page.objects.select_for_update(no_key=True).get(pk=page.pk)
        now, mine = timezone.now(), {"page": page, "channel": Channel.WEBHOOK, "email": normalise(email)}
        if self.filter(**mine, confirmation_sent_at__gt=now - ONE_MAIL_PER).exists():
            return None
        subscriber, _ = self.get_or_create(**mine, endpoint=endpoint, defaults={"secret": secret})
        self.filter(pk=subscriber.pk).update(confirmation_sent_at=now)
        return subscriber

    def sweep(self) -> None:
        """Forget addresses that somebody typed and nobody confirmed."""
        self.filter(
            Q(confirmation_sent_at__isnull=True) | Q(confirmation_sent_at__lt=timezone.now() - UNCONFIRMED_KEPT),
            # Who was active once has a history, and may be waiting for its endpoint to come back.
            Q(state=SubscriberState.PENDING) | Q(state=SubscriberState.VERIFYING, confirmed_at__isnull=True),
            created_at__lt=timezone.now() - UNCONFIRMED_KEPT,
        ).delete()


class Subscriber(models.Model):
    """Someone to be told. Only `active` ones are: they confirmed that the address is theirs.

    On the channel `email` that is `email`, and `endpoint` is empty. On all others it is `endpoint` (an https address,
    a chat's id, a telephone number) with its `name` for staff and its `secret`, and `email` is the owner's, if known.
    A webhook's secret signs; the one before it signs too until `old_secret_until`. `failures` counts failed attempts
    in a row; until `rests_until` nothing is tried at the endpoint.
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="subscribers", db_index=False)
    channel = models.CharField(max_length=12, choices=Channel, default=Channel.EMAIL)
    email = models.EmailField(blank=True)
    endpoint = models.CharField(max_length=1000, blank=True)
    name = models.CharField(max_length=100, blank=True)
    secret = models.CharField(max_length=200, blank=True)
    secret_shown_at = models.DateTimeField(null=True, blank=True)
    old_secret = models.CharField(max_length=200, blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=SubscriberState, default=SubscriberState.PENDING)
    paused_reason = models.TextField(blank=True)
    confirmation_sent_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    # What they chose to be told of. Without the whole page, their interests say which parts of it.
    whole_page = models.BooleanField(default=True, db_default=True)
    tells_incidents = models.BooleanField(default=True, db_default=True)
    tells_maintenances = models.BooleanField(default=True, db_default=True)
    tells_postmortems = models.BooleanField(default=True, db_default=True)
    detail = models.CharField(max_length=12, choices=Detail, default=Detail.ALL, db_default=Detail.ALL)
    language = models.CharField(max_length=12, default="en", db_default="en")
    # Empty: the page's.
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="", validators=[validate_time_zone])

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        constraints = [
            # The e-mail first, for looking one up. It is part of an endpoint's identity, too: who types somebody else's
            # webhook does not keep its owner from signing it up.
            models.UniqueConstraint(fields=["page", "email", "channel", "endpoint"], name="subscriber_once_per_page"),
            models.CheckConstraint(
                condition=(Q(channel=Channel.EMAIL, endpoint="") & ~Q(email=""))
                | (~Q(channel=Channel.EMAIL) & ~Q(endpoint="")),
                name="subscriber_has_an_address",
            ),
            models.CheckConstraint(
                condition=~Q(state=SubscriberState.ACTIVE) | Q(confirmed_at__isnull=False), name="active_is_confirmed"
            ),
        ]
        indexes = [
            models.Index(fields=["page"], condition=Q(state=SubscriberState.ACTIVE), name="subscriber_audience"),
            models.Index(fields=["page", "-created_at"], name="subscriber_newest"),
        ]

    def __str__(self) -> str:
        if self.channel == Channel.EMAIL:
            return self.email
        host = urlsplit(self.endpoint).hostname
        return self.name or f"{self.get_channel_display()}{f' at {host}' if host else ''}"

    @property
    def address(self) -> str:
        """Where it goes, for people to tell it by: of a web address, which may hold a secret, the host and the end."""
        if self.channel == Channel.EMAIL:
            return self.email
        parts = urlsplit(self.endpoint)
        if not parts.netloc:
            return self.endpoint
        end = re.sub(r"[^A-Za-z0-9]", "", parts.path + parts.query)[-4:]
        return f"{parts.scheme}://{parts.netloc}/…{end}"

    @property
    def is_active(self) -> bool:
        return self.state == SubscriberState.ACTIVE

    @property
    def is_held_by_staff(self) -> bool:
        """Its owner cannot undo that."""
        return self.paused_reason.startswith(BY_STAFF)

    @property
    def is_unconfirmed(self) -> bool:
        """Nothing is sent before they confirm. They see then what they chose, so it may be what was asked last."""
        return self.state in (SubscriberState.PENDING, SubscriberState.UNSUBSCRIBED)

    @property
    def zone(self) -> ZoneInfo:
        """Whose clock their mails show."""
        return ZoneInfo(self.time_zone) if self.time_zone else self.page.zone

    def confirm(self) -> None:
        """They clicked. Harmless when they already had."""
        self._move(
            ~Q(state=SubscriberState.ACTIVE),
            state=SubscriberState.ACTIVE,
            confirmed_at=timezone.now(),
            paused_at=None,
            paused_reason="",
        )

    def unsubscribe(self, *, because: str = "") -> None:
        """`because`: what made us do it, if it was not their own wish."""
        gone = Q(state=SubscriberState.UNSUBSCRIBED)
        reason = {"paused_reason": because} if because else {}
        self._move(~gone, state=SubscriberState.UNSUBSCRIBED, unsubscribed_at=timezone.now(), **reason)

    def pause(self, reason: str) -> None:
        """The address refused mail for good, or staff says so. Nothing goes there until it is confirmed or resumed."""
        active = Q(state=SubscriberState.ACTIVE)
        self._move(active, state=SubscriberState.PAUSED, paused_at=timezone.now(), paused_reason=reason)

    def resume(self) -> None:
        """As before the pause. Harmless for whoever is not paused."""
        paused = Q(state=SubscriberState.PAUSED, confirmed_at__isnull=False)
        fresh = {"failures": 0, "rests_until": None}
        self._move(paused, state=SubscriberState.ACTIVE, paused_at=None, paused_reason="", **fresh)

    def await_answer(self) -> bool:
        """The owner has confirmed; what is missing is the endpoint's answer to our challenge. False if it is active,
        or staff paused it: leaving meanwhile does not undo that."""
        idle = ~Q(state=SubscriberState.ACTIVE) & ~Q(paused_reason__startswith=BY_STAFF)
        self._move(idle, state=SubscriberState.VERIFYING, failures=0, rests_until=None)
        return self.state == SubscriberState.VERIFYING and not self.is_held_by_staff

    def answered(self) -> None:
        """The endpoint has agreed. Nothing happens if its owner has left meanwhile."""
        waiting = Q(state=SubscriberState.VERIFYING)
        self._move(
            waiting,
            state=SubscriberState.ACTIVE,
            confirmed_at=timezone.now(),
            paused_at=None,
            paused_reason="",
        )

    def rest(self, length: timedelta) -> None:
        """An attempt failed: nothing is tried here for `length`."""
        Subscriber.objects.filter(pk=self.pk).update(failures=F("failures") + 1, rests_until=from_now(length))

    def works(self) -> None:
        """It took something again."""
        Subscriber.objects.filter(pk=self.pk).update(failures=0, rests_until=None)

    def _move(self, allowed: Q, **changes: object) -> None:
        with transaction.atomic():
            Subscriber.objects.filter(allowed, pk=self.pk).update(**changes)
            self.refresh_from_db()
