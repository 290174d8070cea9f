"""Mails to staff, each kind with a table of its own: a row is one mail to everybody whom it concerns."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Self, TypeVar

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from incidents.models import Incident, IncidentUpdate
from statuspage.subscribers.models.database_time import from_now

# Longer than it may take to hand over one mail.
LEASE = timedelta(minutes=2)
# Before the second, third, … attempt.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300))

Notice = TypeVar("Notice", bound="StaffNotice")


class StaffNoticeQuerySet(models.QuerySet[Notice]):
    def claimable(self) -> Self:
        """Not sent, and in nobody's hands. A lease from before the clock was set back holds nobody up."""
        held = models.Q(held_until__gt=Now(), held_until__lte=from_now(max(LEASE, *WAITS)))
        free = models.Q(held_until__isnull=True) | ~held
        return self.filter(free, sent_at__isnull=True)

    def claim(self) -> Notice | None:
        """One to send, for LEASE; None if there is none. Of two who claim at once, one gets it."""
        for key in list(self.claimable().order_by("pk").values_list("pk", flat=True)):
            token = secrets.token_hex(8)
            if self.claimable().filter(pk=key).update(held_until=from_now(LEASE), token=token):
                return self.filter(token=token).first()
        return None


class StaffNotice(models.Model):
    """`told`: the primary keys of whoever has it already, or refused it for good. `held_until`: nobody else may try it
    before, by the database's clock; `token`: whose it is until then.
    """

    told: models.JSONField[list[int], list[int]] = models.JSONField(default=list)
    held_until = models.DateTimeField(null=True, blank=True)
    token = models.CharField(max_length=16, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def mark_told(self, person: int) -> bool:
        """False if the lease ran out and somebody else has it now."""
        self.told = [*self.told, person]
        return bool(self._mine().update(told=self.told, held_until=from_now(LEASE)))

    def finish(self) -> None:
        self._mine().update(sent_at=Now(), held_until=None, token="")

    def defer(self, error: str, *, after: timedelta | None = None) -> None:
        """Try it again later: `after` so long, or longer with every attempt."""
        wait = after or WAITS[min(self.attempts, len(WAITS) - 1)]
        again = {"attempts": self.attempts + 1, "last_error": error, "token": ""}
        self._mine().update(held_until=from_now(wait), **again)

    def forget(self) -> None:
        """It is not true any more. Should it be again, it is noted anew."""
        self._mine().delete()

    def _mine(self) -> models.QuerySet[Self]:
        return type(self)._default_manager.filter(pk=self.pk, token=self.token, sent_at__isnull=True)


class StaffReminderQuerySet(StaffNoticeQuerySet["StaffReminder"]):
    def note(self, due: Collection[StaffReminder]) -> None:
        """Each once, whoever notes it. What is there already costs no write."""
        there = self.filter(after__in=[one.after_id for one in due]).values_list("after_id", "kind", "number")
        known = set(there) if due else set()
        new = [one for one in due if (one.after_id, one.kind, one.number) not in known]
        if new:
            self.bulk_create(new, ignore_conflicts=True)


class ReminderKind(models.TextChoices):
    SILENT = "silent", "No update"
    STILL_RED = "still_red", "Still red after the resolve"


class StaffReminder(StaffNotice):
    """Of an incident about which nothing was posted since `after`, the `number`th time; or of the components that are
    still in trouble though `after` resolved it."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="+")
    after = models.ForeignKey(IncidentUpdate, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=ReminderKind)
    number = models.PositiveSmallIntegerField(default=1)

    objects = StaffReminderQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["held_until"], condition=models.Q(sent_at__isnull=True), name="staff_reminder_due"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["after", "kind", "number"], name="staff_reminded_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.number}: {self.incident}"
