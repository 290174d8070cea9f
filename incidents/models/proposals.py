from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from incidents.actor import Actor
from incidents.models.base import new_public_id
from incidents.models.incidents import Incident
from incidents.models.pages import Page


class ProposalState(models.TextChoices):
    REVIEW = "review", "Waiting for approval"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def of_page(self, page: Page) -> ProposalQuerySet:
        return self.filter(page=page).select_related("page", "incident")

    def waiting(self) -> ProposalQuerySet:
        return self.filter(state=ProposalState.REVIEW).order_by("created_at", "pk")

    def about(self, incident: Incident) -> ProposalQuerySet:
        return self.filter(incident=incident)

    def same(self, page: Page, author: Actor, digest: str) -> Proposal | None:
        """Return the waiting proposal of the same request by the same author."""
        return self.waiting().filter(page=page, author_kind=author.kind, author_ref=author.ref, digest=digest).first()


class Proposal(models.Model):
    """A change that waits for a second person's approval: a request to the console or the API, as it was sent.

    `request`: method, path, query, content type and body; approving it sends it again in the name of its author.
    `changes`: what it changes, as the audit log describes it: a list of objects with verb, object_type, object_ref and
    details. `owner_ref`: the person who created the token, if the author is a token.
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="proposals")
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, blank=True, related_name="proposals")
    state = models.CharField(max_length=10, choices=ProposalState, default=ProposalState.REVIEW)
    author_kind = models.CharField(max_length=10)
    author_ref = models.CharField(max_length=64)
    author_label = models.CharField(max_length=200)
    owner_ref = models.CharField(max_length=64, blank=True)
    request: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField()
    digest = models.CharField(max_length=64)
    changes: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField()
    note = models.TextField(blank=True)
    decided_label = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["page", "state"], name="proposal_of_page")]

    def __str__(self) -> str:
        return f"Proposal by {self.author_label}"

    @property
    def author(self) -> Actor:
        return Actor(self.author_kind, self.author_ref, self.author_label, owner_ref=self.owner_ref)

    @property
    def is_waiting(self) -> bool:
        return self.state == ProposalState.REVIEW
