from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models.functions import Coalesce, Now

from statuspage.subscribers.models import Channel
from statuspage.subscribers.models.database_time import from_now

# How long a channel is paused after the first, second, … consecutive failure.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60, 120, 300))


class ChannelStateQuerySet(models.QuerySet["ChannelState"]):
    def is_paused(self, channel: str) -> bool:
        return self.filter(channel=channel, paused_until__gt=Now()).exists()

    def in_trouble(self) -> ChannelStateQuerySet:
        """Channels whose last attempt failed for a reason that staff have to fix."""
        return self.filter(failures__gt=0)

    def pause(self, channel: str, error: str) -> timedelta:
        """Pause `channel`, longer after every consecutive failure. Return for how long."""
        state, _ = self.get_or_create(channel=channel)
        length = PAUSES[min(state.failures, len(PAUSES) - 1)]
        self.filter(pk=channel).update(
            failures=models.F("failures") + 1,
            paused_until=from_now(length),
            last_error=error,
            since=Coalesce("since", Now()),
        )
        return length

    def recovered(self, channel: str) -> None:
        self.in_trouble().filter(channel=channel).update(failures=0, paused_until=None, since=None)


class ChannelState(models.Model):
    """Whether a channel works. `since` is when the current failures began; `last_error` is kept after recovery."""

    channel = models.CharField(max_length=12, choices=Channel, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    paused_until = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    objects = ChannelStateQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.channel}: {self.last_error if self.failures else 'ok'}"
