from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date
from typing import Any

from django.db import models
from django.utils import timezone

from incidents.models.findings import Findings, digest
from incidents.models.incidents import Incident
from incidents.models.pages import Page


class PostmortemQuerySet(models.QuerySet["Postmortem"]):
    def with_keys(self, keys: Collection[str]) -> PostmortemQuerySet:
        """By their primary keys, as text: what the audit log calls them by."""
        return self.filter(pk__in=[key for key in keys if key.isdecimal()]).select_related("incident")

    def of_page(self, page: Page) -> PostmortemQuerySet:
        return self.filter(incident__page=page).select_related("incident")

    def waiting_for_approval(self) -> PostmortemQuerySet:
        """Since their author asked for it; the longest first."""
        return self.filter(review_requested_at__isnull=False).order_by("review_requested_at", "pk")


class Postmortem(models.Model):
    """`draft` and `findings` are what staff write; `body`, `body_html` and `account` what was last published. Public
    while `published_at` is set.

    `findings` has the shape of `incidents.models.findings.Findings`, `account` that of
    `incidents.postmortem.summary.PostmortemSummary`. `approved` is the digest of the content that a second person has
    approved. `edited_by` and `approved_by` are references of actors. `followed_up_at` is when subscribers were notified
    that all action items are complete.
    """

    incident = models.OneToOneField(Incident, models.CASCADE, related_name="postmortem")
    draft = models.TextField(blank=True)
    body = models.TextField(blank=True)
    body_html = models.TextField(blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    findings: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True)
    account: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True)
    edited_by = models.CharField(max_length=64, blank=True)
    review_requested_at = models.DateTimeField(null=True, blank=True)
    approved = models.CharField(max_length=64, blank=True)
    approved_by = models.CharField(max_length=64, blank=True)
    approved_label = models.CharField(max_length=200, blank=True)
    followed_up_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = PostmortemQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["review_requested_at"],
                condition=models.Q(review_requested_at__isnull=False),
                name="postmortem_in_review",
            ),
        ]

    def __str__(self) -> str:
        return f"Postmortem of {self.incident}"

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    @property
    def has_unpublished_changes(self) -> bool:
        if not self.is_published:
            return False
        return self.draft != self.body or digest(self.findings) != self.account.get("stated", "")

    @property
    def is_all_done(self) -> bool:
        """Whether it is public and everything that it promised is done."""
        items = list(self.action_items.all())
        return self.is_published and bool(items) and all(item.done_at for item in items)

    def stated(self) -> Findings:
        """With the incident's own start of the impact."""
        return Findings.read(self.findings, impact_started_at=self.incident.impact_started_at)

    def content(self) -> str:
        """The digest of all that publishing it would say, but for which items are done by now."""
        began = self.incident.impact_started_at
        return digest(self.draft, self.findings, self.items_content(), *([began.astimezone(UTC)] if began else []))

    def items_content(self) -> list[list[str]]:
        return [[item.text, item.owner, str(item.due_on), item.url] for item in self.action_items.all()]

    def is_approved_for(self, content: str) -> bool:
        return bool(self.approved) and self.approved == content


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


class PostmortemCommentQuerySet(models.QuerySet["PostmortemComment"]):
    def open(self) -> PostmortemCommentQuerySet:
        return self.filter(settled_at__isnull=True)


class PostmortemComment(models.Model):
    """What staff say to each other about a draft. Visitors never see it. `settled_at`: nothing more to do about it."""

    postmortem = models.ForeignKey(Postmortem, models.CASCADE, related_name="comments")
    author_ref = models.CharField(max_length=64)
    author_label = models.CharField(max_length=200)
    body = models.TextField(max_length=5000)
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=200, blank=True)

    objects = PostmortemCommentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.author_label}: {self.body[:60]}"
