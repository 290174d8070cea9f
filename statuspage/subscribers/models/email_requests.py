"""What sign-up leaves for `notifications` to send."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from statuspage.subscribers.models.subscribers import Subscriber


class EmailRequestKind(models.TextChoices):
    """The values are those of `notifications.DeliveryKind`."""

    CONFIRMATION = "confirmation", "Confirmation request"
    REMINDER = "reminder", "Already subscribed"
    ENDPOINT_CONFIRMATION = "endpoint.confirmation", "Confirmation request for a webhook"
    ENDPOINT_DISABLED = "endpoint.disabled", "Endpoint disabled"


class EmailRequest(models.Model):
    """An email about a subscription that is to be sent. The dispatcher turns it into a delivery and deletes it.

    `is_bulk`: one of many (an import), sent after more urgent emails.
    """

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=24, choices=EmailRequestKind)
    is_bulk = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.kind} for {self.subscriber}"
