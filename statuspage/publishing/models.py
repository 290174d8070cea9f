from __future__ import annotations

import socket
from collections.abc import Collection
from datetime import timedelta

from django.db import models
from django.db.models.functions import Coalesce, Now

from incidents.models import Page
from statuspage.subscribers.models.database_time import from_now

# Name of the published folder itself. All other targets are named by their URL.
FOLDER = "folder"
LATE = timedelta(minutes=3)
# A machine that reported nothing for so long no longer exists.
FORGOTTEN = timedelta(days=1)


class PublicationQuerySet(models.QuerySet["Publication"]):
    def succeeded(self, page: Page, *, target: str = FOLDER, files: int) -> None:
        self._note(page, target, published_at=Now(), files=files, failing_since=None, error="")

    def failed(self, page: Page, error: str, *, target: str = FOLDER) -> None:
        self._note(page, target, failing_since=Coalesce("failing_since", Now()), error=error[:2000])

    def of_page(self, page: Page) -> PublicationQuerySet:
        """Return the targets of `page` with `is_late`, by the database's clock. The folder comes before its copies."""
        late = models.Q(published_at__isnull=True) | models.Q(published_at__lt=from_now(-LATE))
        order = models.Case(models.When(target=FOLDER, then=0), default=1)
        return (
            self.filter(page=page)
            .annotate(is_late=models.ExpressionWrapper(late, models.BooleanField()))
            .order_by("machine", order, "target")
        )

    def pages_without_current_folder(self) -> models.QuerySet[Page]:
        """Return the pages whose folder was not published in the last three minutes, on any machine."""
        fresh = self.filter(target=FOLDER, published_at__gte=from_now(-LATE))
        return Page.objects.exclude(pk__in=fresh.values("page"))

    def failing_or_late_copies(self) -> PublicationQuerySet:
        """Return targets that fail at the moment, and copies that were not updated for three minutes."""
        failing = models.Q(failing_since__isnull=False, seen_at__gte=from_now(-LATE))
        late = models.Q(published_at__lt=from_now(-LATE)) & ~models.Q(target=FOLDER)
        return self.filter(failing | late)

    def ages(self) -> list[tuple[str, str, str, timedelta | None, bool]]:
        """Return page, machine and name of all targets, their ages by the database's clock, and whether they fail.

        The age is None if the target was never updated.
        """
        age = models.ExpressionWrapper(Now() - models.F("published_at"), models.DurationField())
        is_failing = models.ExpressionWrapper(models.Q(failing_since__isnull=False), models.BooleanField())
        rows = self.annotate(age=age, is_failing=is_failing).order_by("page", "machine", "target")
        return list(rows.values_list("page__public_id", "machine", "target", "age", "is_failing"))

    def forget_others(self, targets: Collection[str]) -> None:
        """Delete targets of this machine that are no longer configured, and machines that no longer exist."""
        self.filter(machine=socket.gethostname()).exclude(target__in=targets).delete()
        self.filter(seen_at__lt=from_now(-FORGOTTEN)).delete()

    def _note(self, page: Page, target: str, **changes: object) -> None:
        row, _ = self.get_or_create(page=page, target=target, machine=socket.gethostname(), defaults={"seen_at": Now()})
        self.filter(pk=row.pk).update(seen_at=Now(), **changes)


class Publication(models.Model):
    """The state of one target of one machine, for staff. The target itself records what is published there."""

    page = models.ForeignKey(Page, models.CASCADE, related_name="publications")
    machine = models.CharField(max_length=255)
    target = models.CharField(max_length=255)
    published_at = models.DateTimeField(null=True, blank=True)
    files = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    seen_at = models.DateTimeField()

    objects = PublicationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["page", "machine", "target"], name="publication_once_per_target")
        ]

    def __str__(self) -> str:
        return f"{self.target} on {self.machine}: {self.error or 'fine'}"

    @property
    def is_folder(self) -> bool:
        return self.target == FOLDER
