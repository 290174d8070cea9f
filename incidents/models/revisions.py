from __future__ import annotations

from django.db import models
from django.utils import timezone

from incidents.models.postmortems import Postmortem
from incidents.models.updates import IncidentUpdate


class Revision(models.Model):
    """An earlier version of a public text. `change_html` is the difference to the next version, rendered on save."""

    update = models.ForeignKey(IncidentUpdate, models.CASCADE, null=True, blank=True, related_name="revisions")
    postmortem = models.ForeignKey(Postmortem, models.CASCADE, null=True, blank=True, related_name="revisions")
    body = models.TextField()
    change_html = models.TextField()
    actor_label = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(update__isnull=True) ^ models.Q(postmortem__isnull=True),
                name="revision_of_one_thing",
            ),
        ]
