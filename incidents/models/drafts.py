from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from incidents.actor import Actor
from incidents.models.base import new_public_id
from incidents.models.incidents import Incident
from incidents.models.pages import Page

UNFINISHED_KEPT = timedelta(days=90)


class DraftState(models.TextChoices):
    WRITING = "writing", "Being written"
    WAITING = "waiting", "Goes out by itself"
    REVIEW = "review", "Waits for approval"


class DraftStep(models.TextChoices):
    """What publishing it does. `said` is what its author is doing, for others."""

    DECLARE = "declare", "a new incident"
    UPDATE = "update", "an update"
    RESOLVE = "resolve", "the resolution"
    REOPEN = "reopen", "the reopening"
    FOLLOW_UP = "follow_up", "what was done since"


class DraftQuerySet(models.QuerySet["Draft"]):
    def with_incident(self) -> DraftQuerySet:
        return self.select_related("page", "incident")

    def being_written(self) -> DraftQuerySet:
        return self.filter(state=DraftState.WRITING)

    def for_form(self, page: Page, incident: Incident | None, step: str, author: Actor) -> DraftQuerySet:
        """What this author was last typing into that form, the newest first."""
        mine = self.being_written().filter(page=page, incident=incident, step=step, author_ref=author.ref)
        return mine.order_by("-saved_at", "-pk")

    def of_form(
        self, page: Page, incident: Incident | None, step: str, author: Actor, *, named: str, submission_key: str
    ) -> DraftQuerySet:
        """What this one form keeps: the draft that it was opened with, or that it made itself."""
        mine = self.being_written().filter(page=page, incident=incident, step=step, author_ref=author.ref)
        is_ours = models.Q(public_id=named) if named else models.Q(pk__in=())
        return mine.filter(is_ours | models.Q(submission_key=submission_key, note="") & ~models.Q(submission_key=""))

    def submitted(self) -> DraftQuerySet:
        """What waits for its time or for approval, and what came back."""
        sent_back = models.Q(state=DraftState.WRITING) & ~models.Q(note="")
        return self.with_incident().filter(~models.Q(state=DraftState.WRITING) | sent_back).order_by("publish_at", "pk")

    def sent_with(self, page: Page, submission_key: str) -> Draft | None:
        """What the same press of the button has put on its way already."""
        if not submission_key:
            return None
        return self.exclude(state=DraftState.WRITING).filter(page=page, submission_key=submission_key).first()

    def of_page(self, page: Page) -> DraftQuerySet:
        return self.with_incident().filter(page=page)

    def about(self, incident: Incident) -> DraftQuerySet:
        return self.filter(incident=incident)

    def around(self, incident: Incident, author: Actor) -> Around:
        """One query."""
        return Around(list(self.about(incident).with_incident().order_by("pk")), author)

    def sweep(self) -> None:
        """Forget what nobody has gone on with for UNFINISHED_KEPT."""
        self.being_written().filter(saved_at__lt=timezone.now() - UNFINISHED_KEPT).delete()

    def due(self, at: datetime) -> DraftQuerySet:
        return self.filter(state=DraftState.WAITING, publish_at__lte=at)


@dataclass(frozen=True)
class Around:
    """All drafts about one incident, read once, as they concern `author`."""

    drafts: Sequence[Draft]
    author: Actor

    def offered(self, step: str) -> Draft | None:
        """What they were last typing into the form for `step`: the first of `DraftQuerySet.for_form`."""
        mine = [one for one in self.drafts if one.is_being_written and one.author_ref == self.author.ref]
        return max((one for one in mine if one.step == step), key=lambda one: (one.saved_at, one.pk), default=None)

    def by_others(self, *, since: datetime) -> list[Draft]:
        """What others have typed into since then."""
        others = (one for one in self.drafts if one.is_being_written and one.author_ref != self.author.ref)
        return [one for one in others if one.saved_at >= since]

    @property
    def submitted(self) -> list[Draft]:
        """As `DraftQuerySet.submitted`."""
        sent = [one for one in self.drafts if one.note or not one.is_being_written]
        return sorted(sent, key=lambda one: (one.publish_at is not None, one.publish_at or one.saved_at, one.pk))


class Draft(models.Model):
    """A text on its way to the page: being typed, waiting for its time, or for a second person.

    `typed` is the form as it was filled in, name by name, so that it can be shown again; `content` what publishing it
    says, when it was sent: see `actions.drafts.carry_out`. `note`: why it came back. `version`: of the incident that
    its author had read, `submission_key` the form's own.
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="drafts")
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, blank=True, related_name="drafts")
    step = models.CharField(max_length=10, choices=DraftStep)
    state = models.CharField(max_length=10, choices=DraftState, default=DraftState.WRITING)
    author_ref = models.CharField(max_length=64)
    author_label = models.CharField(max_length=200)
    typed: models.JSONField[dict[str, list[str]], dict[str, list[str]]] = models.JSONField(default=dict)
    content: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(null=True, blank=True)
    submission_key = models.CharField(max_length=64, blank=True)
    publish_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)
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
        return Actor("user", self.author_ref, self.author_label)

    @property
    def title(self) -> str:
        """Of the incident that it is about, or will open."""
        return self.incident.title if self.incident else self.last_typed("title") or "A new incident"

    @property
    def body(self) -> str:
        return self.last_typed("body")

    def last_typed(self, name: str) -> str:
        """What was typed into the field `name`; forms that share a page have a prefix before it."""
        found: Iterable[list[str]] = (v for k, v in self.typed.items() if k == name or k.endswith(f"-{name}"))
        return next((values[-1] for values in found if values), "")
