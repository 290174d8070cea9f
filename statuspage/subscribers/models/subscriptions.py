"""What a subscriber chose of a page, when it is not the whole of it."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.db.models import Q

from incidents.models import Component, ComponentGroup, Incident


class Detail(models.TextChoices):
    """How much of the news about one thing. A reopening is a milestone: whoever heard "resolved" must hear of it."""

    ALL = "all", "Every update"
    MILESTONES = "milestones", "Only when something begins or ends"


class InterestQuerySet(models.QuerySet["Interest"]):
    def in_any(
        self, *, components: Collection[int], groups: Collection[int], incident: int | None = None
    ) -> InterestQuerySet:
        """Those in any of these components, in a whole group of them, or in this very incident. All are ids."""
        touched = Q(component__in=components) | Q(group__in=groups)
        return self.filter(touched | Q(incident=incident) if incident else touched)

    def with_names(self) -> InterestQuerySet:
        return self.select_related("group", "component__group", "incident").order_by("pk")


class Interest(models.Model):
    """One group (with all that is in it at the time), component or incident that a subscriber is told of."""

    subscriber = models.ForeignKey("subscribers.Subscriber", models.CASCADE, related_name="interests")
    group = models.ForeignKey(ComponentGroup, models.CASCADE, null=True, related_name="+", db_index=False)
    component = models.ForeignKey(Component, models.CASCADE, null=True, related_name="+", db_index=False)
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, related_name="+", db_index=False)

    objects = InterestQuerySet.as_manager()

    class Meta:
        # What was chosen comes first: the same index finds everybody who chose it.
        constraints = [
            models.UniqueConstraint(fields=["group", "subscriber"], name="interest_in_group_once"),
            models.UniqueConstraint(fields=["component", "subscriber"], name="interest_in_component_once"),
            models.UniqueConstraint(fields=["incident", "subscriber"], name="interest_in_incident_once"),
            models.CheckConstraint(
                condition=Q(group__isnull=False, component__isnull=True, incident__isnull=True)
                | Q(group__isnull=True, component__isnull=False, incident__isnull=True)
                | Q(group__isnull=True, component__isnull=True, incident__isnull=False),
                name="interest_in_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return str(self.group or self.component or self.incident)
