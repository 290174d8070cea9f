from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from statuspage.accounts.models import ApiToken


class KeptAnswerQuerySet(models.QuerySet["KeptAnswer"]):
    def reserve(self, token: ApiToken, key: str, fingerprint: str) -> tuple[KeptAnswer, bool]:
        """The row of this key, and whether it is new. Of two requests at once, the second waits for the first.

        Call it in the transaction of what the request does: without its success, nothing is kept. What the token's
        earlier keys were answered is forgotten after KEPT.
        """
        self.filter(token=token, created_at__lte=timezone.now() - KeptAnswer.KEPT).delete()
        return self.get_or_create(token=token, key=key, defaults={"fingerprint": fingerprint})


class KeptAnswer(models.Model):
    """What a request with an `Idempotency-Key` was answered: the same key again gets the same answer, and nothing else
    happens. `fingerprint` is that of the request; an answer that refused is not kept."""

    KEPT = timedelta(hours=24)

    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = KeptAnswerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="answer_once_per_key")]

    def __str__(self) -> str:
        return f"{self.key}: {self.status}"
