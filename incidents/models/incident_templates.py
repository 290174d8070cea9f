from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils import timezone

from incidents.models.base import new_public_id
from incidents.models.components import Component
from incidents.models.pages import Page
from incidents.models.states import Kind, Status


class IncidentTemplateQuerySet(models.QuerySet["IncidentTemplate"]):
    def with_code(self, public_id: str) -> IncidentTemplateQuerySet:
        return self.in_order().filter(public_id=public_id)

    def offered(self, kind: str, affected: Iterable[Component]) -> list[IncidentTemplate]:
        """For an incident or a maintenance, those first that name one of the `affected` components."""
        named = {component.pk for component in affected}
        fitting = [preset for preset in self.in_order() if preset.kind == kind]
        return sorted(fitting, key=lambda preset: named.isdisjoint(one.pk for one in preset.components.all()))

    def in_order(self) -> IncidentTemplateQuerySet:
        """By group and name, with their components: two queries, however many rows."""
        named = models.Prefetch("components", Component.objects.active().in_page_order())
        return self.order_by("group_label", "name", "pk").prefetch_related(named)


class IncidentTemplate(models.Model):
    """A text to start an incident or a maintenance from: Statuspage's “incident template” (contract section 3.4)."""

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="incident_templates")
    name = models.CharField(max_length=255)
    title = models.CharField(max_length=255)
    body = models.TextField()
    update_status = models.CharField(max_length=16, choices=Status, blank=True)
    should_send_notifications = models.BooleanField(default=True)
    components: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        Component, related_name="incident_templates", blank=True
    )
    group_label = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = IncidentTemplateQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["page", "name"], name="incident_template_named_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> Kind:
        """What its status is one of; of an incident if it names none."""
        planned = (Status.SCHEDULED, Status.IN_PROGRESS, Status.VERIFYING, Status.COMPLETED)
        return Kind.MAINTENANCE if self.update_status in planned else Kind.INCIDENT
