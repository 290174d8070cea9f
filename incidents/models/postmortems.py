from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.db import models
from django.utils import timezone

from incidents.models.incidents import Incident
from incidents.models.pages import Page


class PostmortemQuerySet(models.QuerySet["Postmortem"]):
    def with_keys(self, keys: Collection[str]) -> PostmortemQuerySet:
        """By their primary keys, as text: what the audit log calls them by."""
        return self.filter(pk__in=[key for key in keys if key.isdecimal()]).select_related("incident")


class Postmortem(models.Model):
    """`draft` is what staff write; `body`, `body_html` what was last published. Public while `published_at` is set."""

    incident = models.OneToOneField(Incident, models.CASCADE, related_name="postmortem")
    draft = models.TextField(blank=True)
    body = models.TextField(blank=True)
    body_html = models.TextField(blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = PostmortemQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Postmortem of {self.incident}"

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    @property
    def has_unpublished_changes(self) -> bool:
        return self.is_published and self.draft != self.body


class ActionItemQuerySet(models.QuerySet["ActionItem"]):
    def overdue(self, page: Page, *, today: date) -> ActionItemQuerySet:
        """Open ones of `page` that were due before `today` (a day in the page's zone), the longest overdue first.

        Items of drafts count too: the work is due whether or not visitors can read of it.
        """
        late = self.filter(postmortem__incident__page=page, done_at__isnull=True, due_on__lt=today)
        return late.select_related("postmortem__incident").order_by("due_on", "pk")


class ActionItem(models.Model):
    postmortem = models.ForeignKey(Postmortem, models.CASCADE, related_name="action_items")
    text = models.CharField(max_length=500)
    owner = models.CharField(max_length=100, blank=True)
    due_on = models.DateField(null=True, blank=True)
    url = models.URLField(blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    position = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ActionItemQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.text
