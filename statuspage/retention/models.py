from __future__ import annotations

from django.db import models
from django.db.models import F
from django.db.models.functions import Now


class PruningQuerySet(models.QuerySet["Pruning"]):
    def record(self, rule: str, *, removed: int, remaining: int, is_complete: bool) -> None:
        """Save the result of one run of `rule`."""
        row, _ = self.get_or_create(rule=rule)
        self.filter(pk=row.pk).update(
            ran_at=Now(),
            removed=removed,
            removed_in_total=F("removed_in_total") + removed,
            remaining=remaining,
            is_complete=is_complete,
        )


class Pruning(models.Model):
    """The last run of one retention rule. `remaining` counts all rows that are stored, expired or not."""

    rule = models.CharField(max_length=32, unique=True)
    ran_at = models.DateTimeField(null=True)
    removed = models.PositiveIntegerField(default=0)
    removed_in_total = models.PositiveBigIntegerField(default=0)
    remaining = models.PositiveBigIntegerField(default=0)
    is_complete = models.BooleanField(default=False)

    objects = PruningQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.rule}: {self.removed} removed"


class CacheRow(models.Model):
    """A row of Django's database cache, which has no model of its own."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "cache"

    def __str__(self) -> str:
        return self.cache_key
