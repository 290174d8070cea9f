"""The kinds and states of deliveries."""

from dataclasses import dataclass

from django.db import models


class DeliveryKind(models.TextChoices):
    EVENT = "event", "Notification"
    CONFIRMATION = "confirmation", "Confirmation request"
    REMINDER = "reminder", "Already subscribed"
    # About a webhook, by mail to its owner:
    ENDPOINT_CONFIRMATION = "endpoint.confirmation", "Confirmation request for a webhook"
    ENDPOINT_DISABLED = "endpoint.disabled", "Endpoint disabled"
    # To an endpoint itself:
    CHALLENGE = "challenge", "Verification request"
    TEST = "test", "Test message"
    # To a member of staff:
    STAFF_NOTICE = "staff.notice", "Notice to staff"
    PASSWORD_RESET = "account.password_reset", "Password reset"


class DeliveryState(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    CANCELED = "cancelled", "Canceled"


@dataclass(frozen=True)
class Progress:
    """The numbers of deliveries of one event or update, by state. All zero until the dispatcher has fanned it out.

    `removed`: how many of them are not stored anymore. `retryable`: how many failed ones are.
    """

    queued: int
    sent: int
    failed: int
    cancelled: int
    removed: int = 0
    retryable: int = 0

    @property
    def total(self) -> int:
        return self.queued + self.sent + self.failed + self.cancelled

    @property
    def done(self) -> int:
        return self.total - self.queued

    @property
    def is_done(self) -> bool:
        return not self.queued
