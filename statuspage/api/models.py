from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from statuspage.accounts.models import ApiToken

# More than one request adds, so that the table keeps up; few enough that no request waits for it.
SWEPT_AT_ONCE = 100


class IdempotentResponseQuerySet(models.QuerySet["IdempotentResponse"]):
    def reserve(self, token: ApiToken, key: str, fingerprint: str) -> tuple[IdempotentResponse, bool]:
        """The row of this key, and whether it is new. Of two requests at once, the second waits for the first.

        Call it in the transaction of what the request does: without its success, nothing is kept. What any token's
        keys were answered is forgotten after KEPT.
        """
        old = self.filter(created_at__lte=timezone.now() - IdempotentResponse.KEPT)
        old.filter(token=token, key=key).delete()
        # Those that another request is forgetting are its own: nobody waits for another's old answers.
        swept = old.order_by("created_at").select_for_update(skip_locked=True)
        self.filter(pk__in=list(swept.values_list("pk", flat=True)[:SWEPT_AT_ONCE])).delete()
        return self.get_or_create(token=token, key=key, defaults={"fingerprint": fingerprint})


class IdempotentResponse(models.Model):
    """What a request with an `Idempotency-Key` was answered: the same key again gets the same answer, and nothing else
    happens. `fingerprint` is that of the request; an answer that refused is not kept."""

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
