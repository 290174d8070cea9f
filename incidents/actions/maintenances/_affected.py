"""The components that a maintenance affects, and those whose status it changes at its start."""

from collections.abc import Sequence
from datetime import datetime

from incidents.actions import checks
from incidents.actions.components import status_history
from incidents.actions.update_input import Statuses
from incidents.models import AffectedComponent, Component, Incident, IncidentUpdate
from incidents.models.states import ComponentStatus


def name_components(update: IncidentUpdate, components: Sequence[Component]) -> None:
    """Rows that change nothing: old and new status are what it has then (contract section 1.3)."""
    named = checks.components(update.incident.page, {component: component.status for component in components})
    statuses = {component: status_history.status_at(component, update.display_at) for component in named}
    AffectedComponent.objects.bulk_create(
        AffectedComponent(update=update, component=component, old_status=status, new_status=status)
        for component, status in statuses.items()
    )


def components_to_set(maintenance: Incident, at: datetime) -> Statuses:
    """Operational ones; of a start in the past, not those whose status was set after it: that was somebody's word."""
    own = Component.objects.active().affected_by(maintenance).in_page_order()
    operational = [c for c in own if c.status == ComponentStatus.OPERATIONAL]
    return {c: ComponentStatus.UNDER_MAINTENANCE for c in operational if status_history.unchanged_since(c, at)}
