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

from incidents import clock
from incidents.models import Incident, Page
from incidents.models.base import new_public_id
from incidents.models.pages import validate_time_zone
from statuspage.common.email_addresses import mailbox_key, normalize_email, readable_email, searchable_email
from statuspage.subscribers.models.channels import Channel, channels_for
from statuspage.subscribers.models.database_time import from_now
from statuspage.subscribers.models.event_audience import EventScope
from statuspage.subscribers.models.subscriptions import Detail, Interest

EMAIL_INTERVAL = timedelta(days=1)
UNCONFIRMED_RETENTION = timedelta(days=30)
# How many emails of one mailbox strangers can request within EMAIL_INTERVAL, on all pages and with all its spellings.
EMAILS_PER_MAILBOX = 5
# The prefix of `paused_reason` if staff paused the endpoint, followed by the name of the person.
BY_STAFF = "By "


class SubscriberState(models.TextChoices):
    PENDING = "pending", "Confirmation pending"
    # Webhooks only: the owner confirmed, but the endpoint has not answered the verification request yet.
    VERIFYING = "verifying", "Verification pending"
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    UNSUBSCRIBED = "unsubscribed", "Unsubscribed"


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def of_page(self, page: Page) -> SubscriberQuerySet:
        return self.filter(page=page)

    def audience(self, page: Page, *, at: datetime | None = None) -> SubscriberQuerySet:
        """Return the active subscribers of `page` or, with `at`, those of them who were confirmed by then."""
        active = self.filter(page=page, state=SubscriberState.ACTIVE)
        return active if at is None else active.filter(confirmed_at__lte=at)

    def pause(self, reason: str) -> None:
        """Pause those that are active."""
        active = self.filter(state=SubscriberState.ACTIVE)
        active.update(state=SubscriberState.PAUSED, paused_at=clock.now(), paused_reason=reason)

    def matching(self, event_scope: EventScope) -> SubscriberQuerySet:
        """Return the subscribers whose preferences match."""
        return self.filter(event_scope.condition())

    def by_channel(self) -> dict[str, int]:
        """Return the number of subscribers by channel label, largest first."""
        counted = self.order_by().values_list("channel").annotate(many=models.Count("pk")).order_by("-many", "channel")
        return {Channel(channel).label: many for channel, many in counted}

    def with_preferences(self) -> SubscriberQuerySet:
        return self.prefetch_related(models.Prefetch("interests", Interest.objects.with_names()))

    def receiving(self, kind: str) -> SubscriberQuerySet:
        """Return the subscribers whose channel carries this kind of event."""
        return self.filter(channel__in=channels_for(kind))

    def endpoints(self) -> SubscriberQuerySet:
        return self.exclude(channel=Channel.EMAIL)

    def on_channels(self, channels: Collection[str]) -> SubscriberQuerySet:
        return self.filter(channel__in=channels)

    def in_states(self, states: Collection[str]) -> SubscriberQuerySet:
        return self.filter(state__in=states)

    def searched(self, text: str) -> SubscriberQuerySet:
        """Search for a part of an address or name."""
        email = Q(email__icontains=text) | Q(email__icontains=searchable_email(text))
        return self.filter(email | Q(endpoint__icontains=text) | Q(name__icontains=text))

    def named(self, text: str) -> SubscriberQuerySet:
        return self.filter(name__icontains=text)

    def following(self, incident: Incident) -> SubscriberQuerySet:
        """Return the subscribers who follow this incident."""
        return self.filter(interests__incident=incident)

    def with_public_ids(self, public_ids: Collection[str]) -> SubscriberQuerySet:
        return self.filter(public_id__in=public_ids)

    def tally(self) -> list[tuple[str, str, int]]:
        """Return rows of channel, state and number of subscribers."""
        counted = self.order_by().values_list("channel", "state").annotate(number=models.Count("pk"))
        return [(channel, state, number) for channel, state, number in counted]

    def newest_first(self) -> SubscriberQuerySet:
        return self.order_by("-created_at", "-pk")

    def by_email(self, page: Page, email: str) -> Subscriber | None:
        return self.filter(page=page, channel=Channel.EMAIL, email=normalize_email(email)).first()

    def by_webhook(self, page: Page, endpoint: str, email: str) -> Subscriber | None:
        """Return the webhook that its owner at `email` signed up."""
        webhooks = self.filter(page=page, channel=Channel.WEBHOOK, email=normalize_email(email), endpoint=endpoint)
        return webhooks.first()

    def by_emails(self, page: Page, emails: Collection[str]) -> dict[str, Subscriber]:
        """Return the subscribers by address. `emails` must be normalized; unknown ones are omitted."""
        subscribers = self.filter(page=page, channel=Channel.EMAIL, email__in=emails)
        return {subscriber.email: subscriber for subscriber in subscribers}

    def create_for(self, page: Page, email: str, **fields: Any) -> Subscriber:
        return self.create(page=page, channel=Channel.EMAIL, email=normalize_email(email), **fields)

    def by_public_id(self, public_id: str) -> Subscriber | None:
        return self.filter(public_id=public_id).select_related("page").first()

    def sign_up(self, page: Page, email: str, *, by_staff: bool = False) -> Subscriber | None:
        """Return the subscriber if an email may be sent now, at most one per day and address. Otherwise return None.

        Unless it is `by_staff`, all spellings of one mailbox share the limit. Call it in the transaction that requests
        the email.
        """
        email = normalize_email(email)
        subscriber, _ = self.get_or_create(page=page, channel=Channel.EMAIL, email=email, endpoint="")
        now, mailbox = clock.now(), mailbox_key(email)
        if not by_staff and not self._may_write_to(mailbox, page, Channel.EMAIL, since=now - EMAIL_INTERVAL):
            return None
        is_due = Q(confirmation_sent_at__isnull=True) | Q(confirmation_sent_at__lte=now - EMAIL_INTERVAL)
        may_send = self.filter(is_due, pk=subscriber.pk).update(confirmation_sent_at=now, mailbox=mailbox)
        return subscriber if may_send else None

    def _may_write_to(self, mailbox: str, page: Page, channel: str, *, since: datetime) -> bool:
        """Return whether no email of `channel` and `page`, and few in total, were requested for the mailbox."""
        # Locked, so that two simultaneous requests do not send two emails.
        Page.objects.select_for_update(no_key=True).get(pk=page.pk)
        recent = list(self.filter(mailbox=mailbox, confirmation_sent_at__gt=since).values_list("page", "channel"))
        return (page.pk, channel) not in recent and len(recent) < EMAILS_PER_MAILBOX

    def sign_up_webhook(self, page: Page, endpoint: str, email: str, *, secret: str) -> Subscriber | None:
        """Like `sign_up`, for a webhook whose owner is `email`. The limit applies to all webhooks of an owner."""
        now, email = clock.now(), normalize_email(email)
        owner, mailbox = {"page": page, "channel": Channel.WEBHOOK, "email": email}, mailbox_key(email)
        if not self._may_write_to(mailbox, page, Channel.WEBHOOK, since=now - EMAIL_INTERVAL):
            return None
        subscriber, _ = self.get_or_create(**owner, endpoint=endpoint, defaults={"secret": secret})
        self.filter(pk=subscriber.pk).update(confirmation_sent_at=now, mailbox=mailbox)
        return subscriber

    def expired(self) -> SubscriberQuerySet:
        """Return addresses that were not confirmed in time."""
        return self.filter(
            Q(confirmation_sent_at__isnull=True) | Q(confirmation_sent_at__lt=clock.now() - UNCONFIRMED_RETENTION),
            # Keep subscribers that were active: their endpoint may become available again.
            Q(state=SubscriberState.PENDING) | Q(state=SubscriberState.VERIFYING, confirmed_at__isnull=True),
            created_at__lt=clock.now() - UNCONFIRMED_RETENTION,
        )


class Subscriber(models.Model):
    """A recipient of notifications. Only `active` subscribers receive them: their address is confirmed.

    On the channel `email` the address is `email`, and `endpoint` is empty. On other channels it is `endpoint` (a URL, a
    chat id, a phone number) with a `name` for staff and a `secret`; `email` is that of the owner, if known. The secret
    of a webhook signs its messages; until `old_secret_until` the previous secret does so too. `failures` counts
    consecutive failed attempts; no attempts are made until `rests_until`.
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="subscribers", db_index=False)
    channel = models.CharField(max_length=12, choices=Channel, default=Channel.EMAIL)
    email = models.EmailField(blank=True)
    # `mailbox_key` of the address, once a confirmation email was requested. Used for limits only.
    mailbox = models.CharField(max_length=254, blank=True, default="", db_default="")
    endpoint = models.CharField(max_length=1000, blank=True)
    name = models.CharField(max_length=100, blank=True)
    secret = models.CharField(max_length=200, blank=True)
    secret_shown_at = models.DateTimeField(null=True, blank=True)
    old_secret = models.CharField(max_length=200, blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True, blank=True)
    # Part of the links to confirm and to manage. Empty until they are reset for the first time.
    link_key = models.CharField(max_length=12, blank=True, default="", db_default="")
    state = models.CharField(max_length=12, choices=SubscriberState, default=SubscriberState.PENDING)
    paused_reason = models.TextField(blank=True)
    confirmation_sent_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    # The preferences. Without `whole_page`, the interests are the selected parts.
    whole_page = models.BooleanField(default=True, db_default=True)
    tells_incidents = models.BooleanField(default=True, db_default=True)
    tells_maintenances = models.BooleanField(default=True, db_default=True)
    tells_postmortems = models.BooleanField(default=True, db_default=True)
    detail = models.CharField(max_length=12, choices=Detail, default=Detail.ALL, db_default=Detail.ALL)
    language = models.CharField(max_length=12, default="en", db_default="en")
    # Empty: the time zone of the page.
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="", validators=[validate_time_zone])

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        constraints = [
            # `email` comes first for lookups. It is part of the identity of an endpoint, so that nobody can prevent the
            # owner of a webhook from adding it by entering it first.
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
            models.Index(fields=["mailbox"], condition=~Q(mailbox=""), name="subscriber_mailbox"),
        ]

    def __str__(self) -> str:
        if self.channel == Channel.EMAIL:
            return self.readable_email
        host = urlsplit(self.endpoint).hostname
        return self.name or f"{self.get_channel_display()}{f' at {host}' if host else ''}"

    @property
    def readable_email(self) -> str:
        return readable_email(self.email)

    @property
    def address(self) -> str:
        """The address for display. URLs may contain a secret, so only their host and end are included."""
        if self.channel == Channel.EMAIL:
            return self.readable_email
        parts = urlsplit(self.endpoint)
        if not parts.netloc:
            return self.endpoint
        end = re.sub(r"[^A-Za-z0-9]", "", parts.path + parts.query)[-4:]
        return f"{parts.scheme}://{parts.netloc}/…{end}"

    @property
    def is_active(self) -> bool:
        return self.state == SubscriberState.ACTIVE

    @property
    def is_paused_by_staff(self) -> bool:
        """Whether staff paused it, which its owner cannot undo."""
        return self.paused_reason.startswith(BY_STAFF)

    @property
    def is_unconfirmed(self) -> bool:
        """Whether they have to confirm first. The confirmation page shows the preferences that were submitted last."""
        return self.state in (SubscriberState.PENDING, SubscriberState.UNSUBSCRIBED)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of their emails."""
        return ZoneInfo(self.time_zone) if self.time_zone else self.page.zone

    def confirm(self) -> None:
        """Activate the subscriber. No effect if it is active already."""
        self._transition(
            ~Q(state=SubscriberState.ACTIVE),
            state=SubscriberState.ACTIVE,
            confirmed_at=clock.now(),
            paused_at=None,
            paused_reason="",
        )

    def unsubscribe(self, *, because: str = "") -> None:
        """Unsubscribe. `because`: the reason, unless they did it themselves."""
        unsubscribed = Q(state=SubscriberState.UNSUBSCRIBED)
        reason = {"paused_reason": because} if because else {}
        self._transition(~unsubscribed, state=SubscriberState.UNSUBSCRIBED, unsubscribed_at=clock.now(), **reason)

    def pause(self, reason: str) -> None:
        """Stop sending until the subscriber is confirmed or resumed, after a permanent failure or by staff."""
        active = Q(state=SubscriberState.ACTIVE)
        self._transition(active, state=SubscriberState.PAUSED, paused_at=clock.now(), paused_reason=reason)

    def resume(self) -> None:
        """Activate a paused subscriber. No effect in other states."""
        paused = Q(state=SubscriberState.PAUSED, confirmed_at__isnull=False)
        reset = {"failures": 0, "rests_until": None}
        self._transition(paused, state=SubscriberState.ACTIVE, paused_at=None, paused_reason="", **reset)

    def start_verification(self) -> bool:
        """Wait for the endpoint to answer the verification request, after its owner confirmed.

        False if it is active or staff paused it.
        """
        idle = ~Q(state=SubscriberState.ACTIVE) & ~Q(paused_reason__startswith=BY_STAFF)
        self._transition(idle, state=SubscriberState.VERIFYING, failures=0, rests_until=None)
        return self.state == SubscriberState.VERIFYING and not self.is_paused_by_staff

    def finish_verification(self) -> None:
        """Activate the endpoint after it answered. No effect if its owner unsubscribed in the meantime."""
        waiting = Q(state=SubscriberState.VERIFYING)
        self._transition(
            waiting,
            state=SubscriberState.ACTIVE,
            confirmed_at=clock.now(),
            paused_at=None,
            paused_reason="",
        )

    def back_off(self, delay: timedelta) -> None:
        """Record a failed attempt: make no further attempt for `delay`."""
        Subscriber.objects.filter(pk=self.pk).update(failures=F("failures") + 1, rests_until=from_now(delay))

    def record_success(self) -> None:
        """Record a successful attempt."""
        Subscriber.objects.filter(pk=self.pk).update(failures=0, rests_until=None)

    def _transition(self, allowed: Q, **changes: object) -> None:
        with transaction.atomic():
            Subscriber.objects.filter(allowed, pk=self.pk).update(**changes)
            self.refresh_from_db()
