"""The parts of a page that a subscriber selected."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.db.models import Q

from incidents.models import Component, ComponentGroup, Incident


class Detail(models.TextChoices):
    """The frequency of notifications. A reopening is a milestone, because it revokes a resolution."""

    ALL = "all", "Every update"
    MILESTONES = "milestones", "Only the start and the end"


class InterestQuerySet(models.QuerySet["Interest"]):
    def in_any(
        self, *, components: Collection[int], groups: Collection[int], incident: int | None = None
    ) -> InterestQuerySet:
        """Return the interests in any of these components, groups or the incident. All arguments are ids."""
        touched = Q(component__in=components) | Q(group__in=groups)
        return self.filter(touched | Q(incident=incident) if incident else touched)

    def with_names(self) -> InterestQuerySet:
        return self.select_related("group", "component__group", "incident").order_by("pk")


class Interest(models.Model):
    """A group (with its current components), component or incident that a subscriber selected."""

    subscriber = models.ForeignKey("subscribers.Subscriber", models.CASCADE, related_name="interests")
    group = models.ForeignKey(ComponentGroup, models.CASCADE, null=True, related_name="+", db_index=False)
    component = models.ForeignKey(Component, models.CASCADE, null=True, related_name="+", db_index=False)
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, related_name="+", db_index=False)

    objects = InterestQuerySet.as_manager()

    class Meta:
        # The selected part is the first column, so the index also finds its subscribers.
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
