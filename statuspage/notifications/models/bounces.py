from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models.functions import Now, TruncDate

from incidents.models import Page
from statuspage.notifications.models.deliveries import Delivery
from statuspage.notifications.models.delivery_states import DeliveryState
from statuspage.subscribers.models.database_time import from_now
from statuspage.subscribers.models.subscribers import Subscriber

# Soft bounces on this many days within a week: the mailbox is not in use.
SOFT_DAYS = 3
SOFT_WITHIN = timedelta(days=7)
# After this many hard bounces within this time an address receives no confirmation requests.
SUPPRESSED_AFTER = 2
SUPPRESSED_FOR = timedelta(days=30)


class BounceKind(models.TextChoices):
    HARD = "hard", "Permanently rejected"
    SOFT = "soft", "Not delivered after retries"
    POLICY = "policy", "Rejected because of the sender"
    COMPLAINT = "complaint", "Reported as spam"


class BounceQuerySet(models.QuerySet["Bounce"]):
    def of_page(self, page: Page) -> BounceQuerySet:
        return self.filter(subscriber__page=page)

    def newest_first(self) -> BounceQuerySet:
        return self.order_by("-pk")

    def after_acceptance(self) -> BounceQuerySet:
        """Bounces of emails that the mail server accepted. Its own rejections are recorded in the delivery."""
        return self.exclude(delivery__state=DeliveryState.FAILED)

    def hard(self) -> BounceQuerySet:
        return self.filter(kind=BounceKind.HARD)

    def before_confirming(self, subscriber: Subscriber) -> BounceQuerySet:
        """Bounces from before the last confirmation of `subscriber`."""
        return self.filter(subscriber=subscriber, at__lt=subscriber.confirmed_at)

    def soft_days(self, subscriber: Subscriber) -> int:
        """Return the number of recent days with soft bounces since `subscriber` last confirmed."""
        recent = self.filter(subscriber=subscriber, kind=BounceKind.SOFT, at__gt=from_now(-SOFT_WITHIN))
        if subscriber.confirmed_at:
            recent = recent.filter(at__gte=subscriber.confirmed_at)
        return recent.aggregate(days=models.Count(TruncDate("at"), distinct=True))["days"] or 0

    def suppressed_until(self, subscriber: Subscriber) -> datetime | None:
        """Return until when the address gets no confirmation requests; None after too few hard bounces."""
        times = self.hard().filter(subscriber=subscriber).order_by("-at").values_list("at", flat=True)
        latest = list(times[:SUPPRESSED_AFTER])
        return latest[-1] + SUPPRESSED_FOR if len(latest) == SUPPRESSED_AFTER else None


class Bounce(models.Model):
    """An email that was returned, or a complaint about one.

    `status` is an RFC 3463 code such as 5.1.1, `message` is the text of the other server. Each delivery has at most one
    bounce of each kind, so that a repeated report counts once.
    """

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="bounces", db_index=False)
    delivery = models.ForeignKey(
        Delivery, models.SET_NULL, null=True, blank=True, related_name="bounces", db_index=False
    )
    kind = models.CharField(max_length=10, choices=BounceKind)
    status = models.CharField(max_length=11, blank=True)
    message = models.TextField(blank=True)
    at = models.DateTimeField(db_default=Now())

    objects = BounceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "kind"], name="bounced_once_per_kind")]
        indexes = [models.Index(fields=["subscriber", "-at"], name="bounce_of_subscriber")]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"
