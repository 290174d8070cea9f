from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from incidents.models.pages import Page


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def last_actor(self, object_ref: str) -> str:
        """Who last did something to the object of that public id; empty if nobody did."""
        last = self.filter(object_ref=object_ref).order_by("-pk").first()
        return last.actor_label if last else ""

    def next_after(self, at: datetime, *, verb: str) -> AuditEntry | None:
        """The first time that somebody did this after `at`."""
        return self.filter(verb=verb, created_at__gt=at).order_by("created_at", "pk").first()


class AuditEntry(models.Model):
    """Who did what, when: written by every action in its own transaction, never changed, never deleted."""

    page = models.ForeignKey(Page, models.CASCADE, related_name="audit_entries")
    actor_kind = models.CharField(max_length=10)
    actor_ref = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=200)
    verb = models.CharField(max_length=40)
    object_type = models.CharField(max_length=30)
    object_ref = models.CharField(max_length=64)
    details: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["page", "-created_at"], name="audit_newest")]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.verb} {self.object_type} {self.object_ref}"
