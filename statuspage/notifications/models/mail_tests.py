from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from incidents.models import Page

# Longer than any test can take. An older unfinished test was interrupted.
OVERDUE = timedelta(seconds=60)
MAIL_TEST_RETENTION = timedelta(days=30)


class MailTestQuerySet(models.QuerySet["MailTest"]):
    def last_of(self, page: Page) -> MailTest | None:
        return self.filter(page=page).order_by("-pk").first()

    def finish(self, pk: int, steps: list[dict[str, str]]) -> None:
        self.filter(pk=pk).update(steps=steps, finished_at=timezone.now())

    def record_bounce(self, pk: int, message: str) -> bool:
        """Save the message of a bounce of the test email. Return False if there is no such test."""
        return bool(self.filter(pk=pk).update(bounce_message=message))

    def expired(self) -> MailTestQuerySet:
        return self.filter(started_at__lt=timezone.now() - MAIL_TEST_RETENTION)


class MailTest(models.Model):
    """A test email of an owner. `steps` are dictionaries with name, state and message, in order."""

    page = models.ForeignKey(Page, models.CASCADE, related_name="+")
    to = models.EmailField()
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    steps: models.JSONField[list[dict[str, str]], list[dict[str, str]]] = models.JSONField(default=list)
    bounce_message = models.TextField(blank=True)

    objects = MailTestQuerySet.as_manager()

    def __str__(self) -> str:
        return f"mail test #{self.pk}"

    @property
    def is_running(self) -> bool:
        return self.finished_at is None and timezone.now() - self.started_at < OVERDUE

    @property
    def was_interrupted(self) -> bool:
        return self.finished_at is None and not self.is_running

    @property
    def passed(self) -> bool:
        return self.finished_at is not None and not any(step["state"] == "failed" for step in self.steps)
