from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from statuspage.accounts.models import ApiToken

# More rows than one request adds, so that the table does not grow; few enough that no request waits for the deletion.
DELETED_AT_ONCE = 100


class IdempotentResponseQuerySet(models.QuerySet["IdempotentResponse"]):
    def expired(self) -> IdempotentResponseQuerySet:
        return self.filter(created_at__lte=timezone.now() - IdempotentResponse.KEPT)

    def reserve(self, token: ApiToken, key: str, fingerprint: str) -> tuple[IdempotentResponse, bool]:
        """Return the row of this key, and whether it is new. Of two concurrent requests, the second waits.

        Call it in the transaction of the request: if that fails, the row is not saved. Rows of all tokens are deleted
        after KEPT.
        """
        old = self.expired()
        old.filter(token=token, key=key).delete()
        # Rows that another request is deleting are skipped, so no request waits for another's deletion.
        expired = old.order_by("created_at").select_for_update(skip_locked=True)
        self.filter(pk__in=list(expired.values_list("pk", flat=True)[:DELETED_AT_ONCE])).delete()
        return self.get_or_create(token=token, key=key, defaults={"fingerprint": fingerprint})


class IdempotentResponse(models.Model):
    """The response to a request with an `Idempotency-Key`. The same key again gets the same response, and nothing else
    happens. `fingerprint` identifies the request. Errors are not saved."""

    KEPT = timedelta(hours=24)

    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = IdempotentResponseQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="answer_once_per_key")]
        indexes = [models.Index(fields=["created_at"], name="answer_oldest")]

    def __str__(self) -> str:
        return f"{self.key}: {self.status}"
