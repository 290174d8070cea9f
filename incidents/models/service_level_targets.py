from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db import models
from django.utils import timezone

from incidents.models.components import Component
from incidents.models.pages import Page


class ServiceTargetQuerySet(models.QuerySet["ServiceTarget"]):
    def of_page(self, page: Page) -> ServiceTargetQuerySet:
        return self.filter(component__page=page)

    def of(self, components: Iterable[Component]) -> ServiceTargetQuerySet:
        return self.filter(component__in=[component.pk for component in components])

    def overlapping(self, first: date, after: date) -> ServiceTargetQuerySet:
        """Those that hold on any day from `first`, and before `after`."""
        unfinished = models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=first)
        return self.filter(unfinished, valid_from__lt=after)

    def on(self, day: date) -> ServiceTargetQuerySet:
        return self.filter(models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=day), valid_from__lte=day)


class ServiceTarget(models.Model):
    """What was promised of a component: `percent` uptime, from the day `valid_from` up to, not including, `valid_until`
    (open if null), in the page's zone. `created_at` is when it was set: a target set afterwards is shown as such."""

    component = models.ForeignKey(Component, models.CASCADE, related_name="targets")
    percent = models.DecimalField(max_digits=6, decimal_places=3)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ServiceTargetQuerySet.as_manager()

    class Meta:
        ordering = ["valid_from", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["component", "valid_from"], name="target_once_per_day"),
            models.CheckConstraint(condition=models.Q(percent__gt=0, percent__lte=100), name="target_is_a_percentage"),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=models.F("valid_from")),
                name="target_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent.normalize():f} % from {self.valid_from}"
