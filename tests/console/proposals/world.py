"""A page that requires approval, with something of every kind that visitors read."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from incidents.actions.incidents import deletion
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.models import (
    AffectedComponent,
    Component,
    ComponentGroup,
    Incident,
    IncidentUpdate,
    MaintenanceReminder,
    MaintenanceSeries,
    Page,
    Postmortem,
    Revision,
    StatusInterval,
)
from tests.factories import (
    ALICE,
    make_component,
    make_group,
    make_incident,
    make_maintenance,
    make_page,
    make_resolved,
    make_series,
)

PUBLIC = (
    Incident,
    IncidentUpdate,
    AffectedComponent,
    Postmortem,
    Revision,
    Component,
    ComponentGroup,
    StatusInterval,
    MaintenanceSeries,
    MaintenanceReminder,
)
# Columns that nobody reads: locks, times of writing, and drafts of postmortems.
HIDDEN = {"version", "updated_at", "draft", "findings", "edited_by", "review_requested_at", "approved", "approved_by"}


@dataclass
class World:
    page: Page
    api: Component
    group: ComponentGroup
    open: Incident
    resolved: Incident
    other: Incident
    hidden: Incident
    upcoming: Incident
    running: Incident
    series: MaintenanceSeries


def make_world() -> World:
    page = make_page()
    group = make_group(page)
    api = make_component(page, "REST API", group=group)
    started = timezone.now() - timedelta(days=2)
    resolved = make_resolved(
        page, title="Old outage", at=started, until=started + timedelta(hours=2), components={api: "major_outage"}
    )
    postmortem_lifecycle.publish(resolved, body="It broke.", actor=ALICE)
    hidden = make_resolved(page, title="Hidden", at=started, until=started + timedelta(hours=1))
    deletion.delete(hidden, reason="A test.", correct_history=False, actor=ALICE)
    running = make_maintenance(page, title="Running work", components=[api])
    maintenance_lifecycle.start(running, actor=ALICE)
    world = World(
        page=page,
        api=api,
        group=group,
        open=make_incident(page, title="Open outage"),
        resolved=resolved,
        other=make_resolved(page, title="Other outage", at=started, until=started + timedelta(hours=2)),
        hidden=hidden,
        upcoming=make_maintenance(page, title="Upcoming work"),
        running=running,
        series=make_series(page),
    )
    Page.objects.update(requires_approval=True)
    page.refresh_from_db()
    return world


def what_visitors_read() -> list[dict[str, Any]]:
    rows = [
        dict(row, table=model.__name__) for model in PUBLIC for row in model._default_manager.order_by("pk").values()
    ]
    return [{name: value for name, value in row.items() if name not in HIDDEN} for row in rows]
