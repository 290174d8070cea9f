from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from incidents.models.pages import Page

if TYPE_CHECKING:
    from incidents.models.components import Component
    from incidents.models.incidents import Incident


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def last_actor(self, object_ref: str) -> str:
        """The label of the last actor who changed the object with that public id; empty if there is none."""
        last = self.filter(object_ref=object_ref).order_by("-pk").first()
        return last.actor_label if last else ""

    def next_after(self, at: datetime, *, verb: str) -> AuditEntry | None:
        """The first entry with this verb after `at`."""
        return self.filter(verb=verb, created_at__gt=at).order_by("created_at", "pk").first()

    def of_actor(self, ref: str) -> AuditEntryQuerySet:
        """`kind:ref` of a person or token, as `actors` gives them."""
        kind, _, rest = ref.partition(":")
        return self.filter(actor_kind=kind, actor_ref=rest)

    def of_verb(self, verb: str) -> AuditEntryQuerySet:
        return self.filter(verb=verb)

    def about(self, public_id: str) -> AuditEntryQuerySet:
        """Entries about the object with that public id."""
        return self.filter(object_ref=public_id)

    def about_incident(self, incident: Incident) -> AuditEntryQuerySet:
        """Entries about the incident, its updates and its postmortem."""
        updates = models.Q(object_type="incidentupdate", object_ref__in=incident.updates.values("public_id"))
        own = models.Q(object_type="incident", object_ref=incident.public_id)
        postmortem = getattr(incident, "postmortem", None)
        if postmortem:
            own |= models.Q(object_type="postmortem", object_ref=str(postmortem.pk))
        return self.filter(own | updates)

    def during_incident(
        self, incident: Incident, components: Iterable[Component], *, until: datetime
    ) -> AuditEntryQuerySet:
        """Entries about the incident, and about its components while it was open."""
        public_ids = [component.public_id for component in components]
        meanwhile = {"created_at__gte": incident.started_at, "created_at__lte": until, "page": incident.page_id}
        touched = models.Q(object_type="component", object_ref__in=public_ids, **meanwhile)
        updates = [update.public_id for update in incident.updates.all()]
        own = models.Q(object_ref__in=[incident.public_id, *updates], page=incident.page_id)
        return self.filter(own | touched)

    def oldest_first(self) -> AuditEntryQuerySet:
        return self.order_by("created_at", "pk")

    def since(self, moment: datetime) -> AuditEntryQuerySet:
        return self.filter(created_at__gte=moment)

    def before(self, moment: datetime) -> AuditEntryQuerySet:
        return self.filter(created_at__lt=moment)

    def containing(self, text: str) -> AuditEntryQuerySet:
        """In what was done, by whom, or in the old and new values. Not by index: it reads the page's whole log."""
        written = models.functions.Cast("details", models.TextField())
        annotated = self.annotate(written=written)
        # Inside JSON text, what is not ASCII may be written as an escape: by the database or by Python.
        escaped = json.dumps(text)[1:-1]
        plain = models.Q(written__icontains=text) | models.Q(written__icontains=escaped)
        return annotated.filter(plain | models.Q(actor_label__icontains=text) | models.Q(verb__icontains=text))

    def facets(self) -> tuple[dict[str, str], set[str]]:
        """Who did something (`kind:ref`, and one of the names that they had), and the verbs. One query, which reads the
        whole log."""
        columns = ("actor_kind", "actor_ref", "actor_label", "verb")
        rows = sorted(self.order_by().values_list(*columns).distinct())
        return {f"{kind}:{ref}": label for kind, ref, label, _ in rows}, {verb for *_, verb in rows}

    def in_batches(self, size: int) -> Iterator[list[AuditEntry]]:
        """Batches of `size` entries, newest first, each with its own query."""
        ordered = self.order_by("-pk")
        batch = list(ordered[:size])
        while batch:
            yield batch
            batch = list(ordered.filter(pk__lt=batch[-1].pk)[:size])


class AuditEntry(models.Model):
    """Who did what and when. Every action writes one in its own transaction; they are never changed or deleted."""

    page = models.ForeignKey(Page, models.CASCADE, related_name="audit_entries")
    actor_kind = models.CharField(max_length=10)
    actor_ref = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=200)
    verb = models.CharField(max_length=40)
    object_type = models.CharField(max_length=30)
    object_ref = models.CharField(max_length=64)
    details: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["page", "-created_at"], name="audit_newest")]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.verb} {self.object_type} {self.object_ref}"
