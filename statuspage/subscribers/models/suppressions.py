from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from statuspage.subscribers.models.subscribers import Subscriber


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def covers(self, subscriber: Subscriber) -> bool:
        return self.filter(subscriber=subscriber, until__gt=Now()).exists()


class Suppression(models.Model):
    """No confirmation request is sent to the subscriber's address until `until`: it was refused too often."""

    subscriber = models.OneToOneField(Subscriber, models.CASCADE, related_name="suppression", primary_key=True)
    until = models.DateTimeField()

    objects = SuppressionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.subscriber} until {self.until}"
