from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from incidents.models import Page
from incidents.models.base import new_public_id
from statuspage.subscribers.models.channels import Channel

ONE_MAIL_PER = timedelta(days=1)
UNCONFIRMED_KEPT = timedelta(days=30)


class SubscriberState(models.TextChoices):
    PENDING = "pending", "Not confirmed yet"
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused: mail was refused"
    UNSUBSCRIBED = "unsubscribed", "Unsubscribed"


def normalise(email: str) -> str:
    """One spelling per mailbox that people take for one: no blanks around it, lower case."""
    return email.strip().lower()


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def audience(self, page: Page, *, at: datetime | None = None) -> SubscriberQuerySet:
        """Who is told of what happens on `page` now, or of what happened `at`: confirmed by then, and still there."""
        told = self.filter(page=page, state=SubscriberState.ACTIVE)
        return told if at is None else told.filter(confirmed_at__lte=at)

    def newest_first(self) -> SubscriberQuerySet:
        return self.order_by("-created_at", "-pk")

    def by_public_id(self, public_id: str) -> Subscriber | None:
        return self.filter(public_id=public_id).select_related("page").first()

    def sign_up(self, page: Page, email: str) -> Subscriber | None:
        """The subscriber whom a mail is now owed, at most once a day per address however many ask at once; else None.

        Call it inside the transaction that records the mail.
        """
        subscriber, _ = self.get_or_create(page=page, email=normalise(email))
        now = timezone.now()
        waited = Q(confirmation_sent_at__isnull=True) | Q(confirmation_sent_at__lte=now - ONE_MAIL_PER)
        owed = self.filter(waited, pk=subscriber.pk).update(confirmation_sent_at=now)
        return subscriber if owed else None

    def sweep(self) -> None:
        """Forget addresses that somebody typed and nobody confirmed."""
        self.filter(
            Q(confirmation_sent_at__isnull=True) | Q(confirmation_sent_at__lt=timezone.now() - UNCONFIRMED_KEPT),
            state=SubscriberState.PENDING,
            created_at__lt=timezone.now() - UNCONFIRMED_KEPT,
        ).delete()


class Subscriber(models.Model):
    """Someone to be told. Only `active` ones are: they confirmed that the address is theirs."""

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="subscribers", db_index=False)
    channel = models.CharField(max_length=12, choices=Channel, default=Channel.EMAIL)
    email = models.EmailField()
    state = models.CharField(max_length=12, choices=SubscriberState, default=SubscriberState.PENDING)
    paused_reason = models.TextField(blank=True)
    confirmation_sent_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["page", "email"], name="subscriber_once_per_page"),
            models.CheckConstraint(
                condition=~Q(state=SubscriberState.ACTIVE) | Q(confirmed_at__isnull=False), name="active_is_confirmed"
            ),
        ]
        indexes = [
            models.Index(fields=["page"], condition=Q(state=SubscriberState.ACTIVE), name="subscriber_audience"),
            models.Index(fields=["page", "-created_at"], name="subscriber_newest"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_active(self) -> bool:
        return self.state == SubscriberState.ACTIVE

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
        """The address refused mail for good. Nothing goes there until it is confirmed again."""
        active = Q(state=SubscriberState.ACTIVE)
        self._move(active, state=SubscriberState.PAUSED, paused_at=timezone.now(), paused_reason=reason)

    def _move(self, allowed: Q, **changes: object) -> None:
        with transaction.atomic():
            Subscriber.objects.filter(allowed, pk=self.pk).update(**changes)
            self.refresh_from_db()
