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
    def with_public_id(self, public_id: str) -> IncidentTemplateQuerySet:
        return self.in_order().filter(public_id=public_id)

    def offered(self, kind: str, affected: Iterable[Component]) -> list[IncidentTemplate]:
        """Return the templates for an incident or a maintenance, those with one of the `affected` components first."""
        affected_pks = {component.pk for component in affected}
        templates = [template for template in self.in_order() if template.kind == kind]
        return sorted(templates, key=lambda template: affected_pks.isdisjoint(c.pk for c in template.components.all()))

    def in_order(self) -> IncidentTemplateQuerySet:
        """Order by group and name. Prefetch the components, so that any number of templates takes two queries."""
        components = models.Prefetch("components", Component.objects.active().in_page_order())
        return self.order_by("group_label", "name", "pk").prefetch_related(components)


class IncidentTemplate(models.Model):
    """A title and text to start an incident or a maintenance from (contract section 3.4)."""

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
        """Whether the template is for incidents or maintenances, by its status. For incidents if it has none."""
        planned = (Status.SCHEDULED, Status.IN_PROGRESS, Status.VERIFYING, Status.COMPLETED)
        return Kind.MAINTENANCE if self.update_status in planned else Kind.INCIDENT
