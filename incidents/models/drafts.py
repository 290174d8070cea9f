from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from incidents.actor import Actor
from incidents.models.base import new_public_id
from incidents.models.draft_content import DraftContent, DraftStep, content_from_json
from incidents.models.incidents import Incident
from incidents.models.pages import Page

UNFINISHED_RETENTION = timedelta(days=90)


class DraftState(models.TextChoices):
    WRITING = "writing", "Unfinished"
    WAITING = "waiting", "Scheduled"
    REVIEW = "review", "Waiting for approval"


class DraftQuerySet(models.QuerySet["Draft"]):
    def with_incident(self) -> DraftQuerySet:
        return self.select_related("page", "incident")

    def being_written(self) -> DraftQuerySet:
        return self.filter(state=DraftState.WRITING)

    def for_form(self, page: Page, incident: Incident | None, step: str, author: Actor) -> DraftQuerySet:
        """The unfinished drafts of this author for that form, the newest first."""
        own = self.being_written().filter(page=page, incident=incident, step=step).by(author)
        return own.order_by("-saved_at", "-pk")

    def of_form(
        self, page: Page, incident: Incident | None, step: str, author: Actor, *, public_id: str, submission_key: str
    ) -> DraftQuerySet:
        """The draft that one open form saves to: the one that it was opened with, or the one that it created."""
        own = self.being_written().filter(page=page, incident=incident, step=step).by(author)
        is_opened = models.Q(public_id=public_id) if public_id else models.Q(pk__in=())
        return own.filter(is_opened | models.Q(submission_key=submission_key, note="") & ~models.Q(submission_key=""))

    def by(self, author: Actor) -> DraftQuerySet:
        return self.filter(author_kind=author.kind, author_ref=author.ref)

    def submitted(self) -> DraftQuerySet:
        """Drafts that wait for their time or for approval, and returned drafts."""
        sent_back = models.Q(state=DraftState.WRITING) & ~models.Q(note="")
        return self.with_incident().filter(~models.Q(state=DraftState.WRITING) | sent_back).order_by("publish_at", "pk")

    def with_submission_key(self, page: Page, submission_key: str) -> Draft | None:
        """The draft that the same submission already created."""
        if not submission_key:
            return None
        return self.exclude(state=DraftState.WRITING).filter(page=page, submission_key=submission_key).first()

    def of_page(self, page: Page) -> DraftQuerySet:
        return self.with_incident().filter(page=page)

    def about(self, incident: Incident) -> DraftQuerySet:
        return self.filter(incident=incident)

    def for_incident(self, incident: Incident, author: Actor) -> IncidentDrafts:
        """One query."""
        return IncidentDrafts(list(self.about(incident).with_incident().order_by("pk")), author)

    def expired(self) -> DraftQuerySet:
        """Return unfinished drafts that nobody has changed for UNFINISHED_RETENTION."""
        return self.being_written().filter(saved_at__lt=timezone.now() - UNFINISHED_RETENTION)

    def due(self, at: datetime) -> DraftQuerySet:
        return self.filter(state=DraftState.WAITING, publish_at__lte=at)


@dataclass(frozen=True)
class IncidentDrafts:
    """All drafts of one incident, from the point of view of `author`."""

    drafts: Sequence[Draft]
    author: Actor

    def offered(self, step: str) -> Draft | None:
        """The unfinished draft to continue in the form for `step`: the first of `DraftQuerySet.for_form`."""
        own = [draft for draft in self.drafts if draft.is_being_written and draft.author_key == self.author.key]
        return max(
            (draft for draft in own if draft.step == step), key=lambda draft: (draft.saved_at, draft.pk), default=None
        )

    def by_others(self, *, since: datetime) -> list[Draft]:
        """Unfinished drafts of other authors, saved since then."""
        others = (draft for draft in self.drafts if draft.is_being_written and draft.author_key != self.author.key)
        return [draft for draft in others if draft.saved_at >= since]

    @property
    def submitted(self) -> list[Draft]:
        """As `DraftQuerySet.submitted`."""
        drafts = [draft for draft in self.drafts if draft.note or not draft.is_being_written]
        return sorted(
            drafts, key=lambda draft: (draft.publish_at is not None, draft.publish_at or draft.saved_at, draft.pk)
        )


class Draft(models.Model):
    """A text about an incident before it is published: unfinished, waiting for its time, or waiting for approval.

    `author_kind`, `author_ref` and `author_label` are an Actor. Today only the console saves drafts, for people.
    `content` is what publishing it does, as typed content (`read_content`); it is empty until the draft is submitted.
    `form_data` is the unfinished form as it was filled in, by field name; it is only ever put back into the form.
    `note` is why it was returned. `version` is the version of the incident that its author had read, and
    `submission_key` that of the form.
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="drafts")
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, blank=True, related_name="drafts")
    step = models.CharField(max_length=10, choices=DraftStep)
    state = models.CharField(max_length=10, choices=DraftState, default=DraftState.WRITING)
    author_kind = models.CharField(max_length=10, default="user")
    author_ref = models.CharField(max_length=64)
    author_label = models.CharField(max_length=200)
    form_data: models.JSONField[dict[str, list[str]], dict[str, list[str]]] = models.JSONField(default=dict, blank=True)
    content: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(null=True, blank=True)
    submission_key = models.CharField(max_length=64, blank=True)
    publish_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)
    # The name of the second person, once approved.
    approver = models.CharField(max_length=200, blank=True, default="", db_default="")
    saved_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    objects = DraftQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["publish_at"], condition=models.Q(state="waiting"), name="draft_due"),
            models.Index(fields=["page", "state"], name="draft_of_page"),
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()} by {self.author_label}"

    @property
    def is_being_written(self) -> bool:
        return self.state == DraftState.WRITING

    @property
    def author(self) -> Actor:
        return Actor(self.author_kind, self.author_ref, self.author_label)

    @property
    def author_key(self) -> str:
        return self.author.key

    def read_content(self) -> DraftContent | None:
        """None until it is submitted."""
        return content_from_json(self.step, self.content) if self.content else None

    @property
    def title(self) -> str:
        """The title of its incident, or of the incident that it declares."""
        return self.incident.title if self.incident else self._text("title") or "A new incident"

    @property
    def body(self) -> str:
        return self._text("body")

    def _text(self, name: str) -> str:
        """From the form while someone is writing in it, otherwise from the content."""
        if self.form_data and (self.is_being_written or not self.content):
            return self._form_value(name)
        return str(self.content.get(name, ""))

    def _form_value(self, name: str) -> str:
        """The value of a form field; forms that share a page add a prefix to the name."""
        values = (data for key, data in self.form_data.items() if key == name or key.endswith(f"-{name}"))
        return next((data[-1] for data in values if data), "")
