from __future__ import annotations

import socket

from django.db import models
from django.db.models.functions import Coalesce, Now

from incidents.models import Page

FOLDER = "folder"


class PublicationQuerySet(models.QuerySet["Publication"]):
    def succeeded(self, page: Page, *, target: str = FOLDER, files: int) -> None:
        self._note(page, target, published_at=Now(), files=files, failing_since=None, error="")

    def failed(self, page: Page, error: str, *, target: str = FOLDER) -> None:
        self._note(page, target, failing_since=Coalesce("failing_since", Now()), error=error[:2000])

    def of_page(self, page: Page) -> PublicationQuerySet:
        return self.filter(page=page).order_by("machine", "target")

    def _note(self, page: Page, target: str, **changes: object) -> None:
        row, _ = self.get_or_create(page=page, target=target, machine=socket.gethostname())
        self.filter(pk=row.pk).update(**changes)


class Publication(models.Model):
    """How one target of one machine stands: what staff see. What is published is told by the target itself."""

    page = models.ForeignKey(Page, models.CASCADE, related_name="publications")
    machine = models.CharField(max_length=255)
    target = models.CharField(max_length=200)
    published_at = models.DateTimeField(null=True, blank=True)
    files = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    objects = PublicationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["page", "machine", "target"], name="publication_once_per_target")]

    def __str__(self) -> str:
        return f"{self.target} on {self.machine}: {self.error or 'fine'}"
