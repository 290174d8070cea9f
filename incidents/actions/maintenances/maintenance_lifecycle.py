"""Schedule, reschedule, start, complete and cancel a maintenance. A maintenance is an Incident of that kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from incidents import clock
from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions._updates import lock_for_step, once_per_submission, post
from incidents.actions.components import status_history
from incidents.actions.maintenances._affected import components_to_set, name_components
from incidents.actions.maintenances._maintenance_create import MaintenanceOptions as MaintenanceOptions
from incidents.actions.maintenances._maintenance_create import create_maintenance
from incidents.actions.maintenances.maintenance_reminders import move_reminders, set_reminders
from incidents.actions.update_input import NO_INPUT, Statuses, UpdateInput
from incidents.actor import Actor
from incidents.models import (
    AffectedComponent,
    Component,
    EventKind,
    Incident,
    IncidentUpdate,
    Page,
)
from incidents.models.maintenances import SWITCHES
from incidents.models.states import ComponentStatus, Status
from incidents.text import wording
from incidents.text.time_shorthand import Clock


@dataclass(frozen=True)
class Overlap:
    """Another maintenance, and which of the components asked about it names too."""

    maintenance: Incident
    components: list[Component]


def options_of(maintenance: Incident) -> MaintenanceOptions:
    """As they stand now. One query, for the reminders."""
    leads = maintenance.reminders.values_list("minutes_before", flat=True)
    return MaintenanceOptions.of(maintenance, leads)


def overlaps(
    page: Page,
    components: Sequence[Component],
    start: datetime,
    end: datetime,
    *,
    other_than: Incident | None = None,
) -> list[Overlap]:
    """Upcoming and running maintenances of any of `components` between `start` and `end`: allowed, but worth a warning.

    Soonest first. The number of queries does not grow with theirs.
    """
    component_pks = {component.pk for component in components}
    overlapping = page.incidents.overlapping(start, end).affecting(component_pks).soonest_first()
    if other_than:
        overlapping = overlapping.exclude(pk=other_than.pk)
    return [
        Overlap(
            maintenance, [component for component in maintenance.affected_components() if component.pk in component_pks]
        )
        for maintenance in overlapping.with_details()
    ]


def schedule(
    page: Page,
    *,
    title: str,
    body: str,
    scheduled_for: datetime,
    scheduled_until: datetime,
    actor: Actor,
    components: Sequence[Component] = (),
    options: MaintenanceOptions | None = None,
    notify: bool = True,
    at: datetime | None = None,
    submission_key: str = "",
) -> Incident:
    """Announce a maintenance. `options` None: the defaults. `notify`: tell subscribers now.

    `at` backdates the announcement: the window is then checked as of that time, and the dispatcher catches up with what
    should have happened since. The same `submission_key` again returns what the first submit made.

    ValidationError fields: title, body, scheduled_for, scheduled_until, components, reminders, at.
    """
    moment = checks.moment(at)
    start, end = checks.window(scheduled_for, scheduled_until)
    checks.start_ahead(start, now=moment)
    title, text = checks.title(title), checks.body(body, clock=Clock(page.zone, start))
    try:
        with transaction.atomic():
            return create_maintenance(
                page,
                title=title,
                text=text,
                window=(start, end),
                components=components,
                options=options or MaintenanceOptions(),
                actor=actor,
                notify=notify,
                at=moment,
                submission_key=submission_key or None,
            )
    except IntegrityError:
        if not submission_key:
            raise
        return Incident.objects.get(submission_key=submission_key)


@once_per_submission
def reschedule(
    maintenance: Incident,
    update_input: UpdateInput = NO_INPUT,
    *,
    scheduled_for: datetime,
    scheduled_until: datetime,
    actor: Actor,
) -> IncidentUpdate:
    """Change its window. The update names the new and the old window, followed by the body if there is one.

    Once it has begun, only the end can change, and only to a time in the future. Reminders follow the start: those that
    were already sent are sent again if their new time is in the future.

    ValidationError fields: scheduled_for, scheduled_until, body, status (it is over).
    """
    start, end = new = checks.window(scheduled_for, scheduled_until)
    kind, status = EventKind.MAINTENANCE_RESCHEDULED, maintenance.status
    at = lock_for_step(maintenance, kind, update_input, status=status)
    old = maintenance.window
    _check_move(maintenance, old, new)
    move_reminders(maintenance, start)
    body = wording.reschedule_text(old, new, maintenance.page.zone, begun=maintenance.is_running)
    if update_input.body.strip():
        body = f"{body}\n\n{update_input.body}"
    return post(
        maintenance,
        kind,
        update_input,
        text=checks.body(body),
        status=status,
        at=at,
        notify=update_input.notifies(),
        actor=actor,
        changes={"scheduled_for": start, "scheduled_until": end},
        details={"from": start.isoformat(), "until": end.isoformat()},
    )


@transaction.atomic
def change_options(
    maintenance: Incident,
    *,
    options: MaintenanceOptions,
    actor: Actor,
    components: Sequence[Component] | None = None,
    expected_version: int | None = None,
) -> Incident:
    """Change its switches and reminders, and before it has begun the components that it names (None: leave them).

    Nobody is told. ValidationError fields: reminders, components, status (it is over).
    """
    leads = checks.reminders(options.reminders)
    take_version(maintenance, expected_version)
    if maintenance.is_resolved:
        raise ValidationError({"status": "This maintenance is over. Its options can no longer be changed."})
    if components is not None:
        _rename_components(maintenance, components)
    for name, value in options.switches.items():
        setattr(maintenance, name, value)
    maintenance.save(update_fields=SWITCHES)
    set_reminders(maintenance, leads)
    details: dict[str, Any] = {**options.switches, "reminders": leads}
    if components is not None:
        details["components"] = [component.full_name for component in components]
    record(
        maintenance.page,
        EventKind.MAINTENANCE_CHANGED,
        maintenance,
        actor=actor,
        details=details,
        incident=maintenance,
    )
    return maintenance


@once_per_submission
def start(maintenance: Incident, update_input: UpdateInput = NO_INPUT, *, actor: Actor) -> IncidentUpdate:
    """Begin, early or on time. Subscribers are notified as its options say, unless `update_input.notify` is set.

    If its options say so, its operational components are set to under maintenance; other statuses do not change. After
    the end of the window it cannot start: move the end first. ValidationError fields: status, body, at,
    scheduled_until.
    """
    kind, status = EventKind.MAINTENANCE_STARTED, Status.IN_PROGRESS
    text = checks.body(update_input.body if update_input.body.strip() else wording.MAINTENANCE_STARTED)
    at = lock_for_step(maintenance, kind, update_input, status=status)
    if maintenance.window[1] <= at:
        raise ValidationError({"scheduled_until": "The scheduled end has passed. Move the end first."})
    return post(
        maintenance,
        kind,
        update_input,
        text=text,
        status=status,
        at=at,
        notify=update_input.notifies(default=maintenance.notify_start),
        actor=actor,
        components=components_to_set(maintenance, at) if maintenance.set_components else None,
    )


@once_per_submission
def complete(
    maintenance: Incident, update_input: UpdateInput = NO_INPUT, *, actor: Actor, restore: Statuses | None = None
) -> IncidentUpdate:
    """End it. Subscribers are notified as its options say, unless `update_input.notify` is set.

    `restore` sets the status of its components; with None they are restored as its options say (see
    `components_to_restore`). ValidationError fields: status, body, at.
    """
    kind, status = EventKind.MAINTENANCE_COMPLETED, Status.COMPLETED
    text = checks.body(update_input.body if update_input.body.strip() else wording.MAINTENANCE_COMPLETED)
    at = lock_for_step(maintenance, kind, update_input, status=status)
    if restore is None and maintenance.restore_components:
        restore = components_to_restore(maintenance, at=at)
    return post(
        maintenance,
        kind,
        update_input,
        text=text,
        status=status,
        at=at,
        notify=update_input.notifies(default=maintenance.notify_end),
        actor=actor,
        components=restore,
    )


@once_per_submission
def cancel(maintenance: Incident, update_input: UpdateInput = NO_INPUT, *, actor: Actor) -> IncidentUpdate:
    """Cancel it before or after its start: it is completed, and `cancelled_at` is set.

    Components that it set to under maintenance are restored. ValidationError fields: status, body, at.
    """
    kind, status = EventKind.MAINTENANCE_CANCELED, Status.COMPLETED
    body, canceled_at = update_input.body, checks.moment(update_input.at)
    at = lock_for_step(maintenance, kind, update_input, status=status)
    return post(
        maintenance,
        kind,
        update_input,
        text=checks.body(body if body.strip() else _canceled_text(maintenance)),
        status=status,
        at=at,
        notify=update_input.notifies(),
        actor=actor,
        components=components_to_restore(maintenance, at=at) if maintenance.is_running else None,
        changes={"cancelled_at": canceled_at},
    )


def components_to_restore(maintenance: Incident, *, at: datetime | None = None) -> dict[Component, str]:
    """Its components that are under maintenance and that nobody else holds: what turns operational at its end.

    With an end `at` in the past, not those whose status was set after it.
    """
    held = Component.objects.affected_by_other_ongoing(maintenance).values("pk")
    components = Component.objects.active().affected_by(maintenance).exclude(pk__in=held).in_page_order()
    under_maintenance = [c for c in components if c.status == ComponentStatus.UNDER_MAINTENANCE]
    return {
        c: ComponentStatus.OPERATIONAL for c in under_maintenance if at is None or status_history.unchanged_since(c, at)
    }


def _rename_components(maintenance: Incident, components: Sequence[Component]) -> None:
    """Before it begins, the rows that only name a component carry no history and may be replaced."""
    if not maintenance.is_upcoming:
        raise ValidationError({"components": "This maintenance has begun. Post an update to add components."})
    AffectedComponent.objects.filter(update__incident=maintenance, old_status=F("new_status")).delete()
    name_components(maintenance.updates.earliest("display_at", "pk"), components)


def _check_move(maintenance: Incident, old: tuple[datetime, datetime], new: tuple[datetime, datetime]) -> None:
    now = clock.now()
    if new == old:
        raise ValidationError({"scheduled_for": "The times did not change."})
    if not maintenance.is_running:
        checks.start_ahead(new[0], now=now)
        return
    if new[0] != old[0]:
        raise ValidationError({"scheduled_for": "This maintenance has begun. Only its end can change."})
    if new[1] <= now:
        raise ValidationError({"scheduled_until": "The end time is in the past. Complete the maintenance instead."})


def _canceled_text(maintenance: Incident) -> str:
    return wording.MAINTENANCE_CUT_SHORT if maintenance.is_running else wording.MAINTENANCE_CANCELED
