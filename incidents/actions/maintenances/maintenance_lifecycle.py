"""Maintenances one by one: schedule, move, start, end. A maintenance is an Incident of that kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions._updates import Statuses, post
from incidents.actions.components import status_history
from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.maintenances._affected import components_to_set, name_components
from incidents.actions.maintenances._maintenance_create import MaintenanceOptions as MaintenanceOptions
from incidents.actions.maintenances._maintenance_create import create_maintenance
from incidents.actions.maintenances.maintenance_reminders import move_reminders, set_reminders
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
    asked = {component.pk for component in components}
    found = page.incidents.overlapping(start, end).naming(asked).soonest_first()
    if other_than:
        found = found.exclude(pk=other_than.pk)
    return [
        Overlap(one, [component for component in one.affected_components() if component.pk in asked])
        for one in found.with_timeline()
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


def reschedule(
    maintenance: Incident,
    *,
    scheduled_for: datetime,
    scheduled_until: datetime,
    actor: Actor,
    body: str = "",
    notify: bool = True,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """Move it, or change its length. The update that this posts names old and new times, before `body` if there is one.

    Once it has begun, only its end can move (it is extended or shortened, and not into the past). Reminders not yet
    due move along; those already sent are sent again if their new time lies ahead.

    ValidationError fields: scheduled_for, scheduled_until, body, status (it is over).
    """
    start, end = new = checks.window(scheduled_for, scheduled_until)

    def text() -> str:
        """Under the lock: what it says of the old time must be true."""
        old = maintenance.window
        _check_move(maintenance, old, new)
        move_reminders(maintenance, start)
        sentence = wording.reschedule_text(old, new, maintenance.page.zone, begun=maintenance.is_running)
        return f"{sentence}\n\n{body}" if body.strip() else sentence

    return post(
        maintenance,
        EventKind.MAINTENANCE_RESCHEDULED,
        status=maintenance.status,
        body=text,
        actor=actor,
        notify=notify,
        expected_version=expected_version,
        submission_key=submission_key,
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
        raise ValidationError({"status": "This maintenance is over, so nothing happens by itself any more."})
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


def start(
    maintenance: Incident,
    *,
    actor: Actor,
    body: str = "",
    notify: bool | None = None,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """Begin, early or on time. `body` empty: the standard sentence. `notify` None: as its options say.

    Its operational components are under maintenance from `at`, if its options say so; a worse status stays. Refused
    once its end has passed: move that first. ValidationError fields: status, body, at, scheduled_until.
    """

    def to_set(moment: datetime) -> Statuses:
        if maintenance.window[1] <= moment:
            raise ValidationError({"scheduled_until": "Its planned end has passed. Move the end first."})
        return components_to_set(maintenance, moment) if maintenance.set_components else {}

    return post(
        maintenance,
        EventKind.MAINTENANCE_STARTED,
        status=Status.IN_PROGRESS,
        body=body if body.strip() else wording.MAINTENANCE_STARTED,
        actor=actor,
        notify=maintenance.notify_start if notify is None else notify,
        components=to_set,
        at=at,
        expected_version=expected_version,
        submission_key=submission_key,
    )


def verify(
    maintenance: Incident,
    *,
    body: str,
    actor: Actor,
    components: Statuses | None = None,
    notify: bool = True,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """The work is done and being checked: `incidents.post_update` with that status."""
    return incident_actions.post_update(
        maintenance,
        status=Status.VERIFYING,
        body=body,
        actor=actor,
        components=components,
        notify=notify,
        at=at,
        expected_version=expected_version,
        submission_key=submission_key,
    )


def complete(
    maintenance: Incident,
    *,
    actor: Actor,
    body: str = "",
    restore: Statuses | None = None,
    notify: bool | None = None,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """End it. `restore` says what its components are now; None: as its options say, see `components_to_restore`.

    `body` empty: the standard sentence. `notify` None: as its options say. ValidationError fields: status, body, at.
    """

    def to_restore(moment: datetime) -> Statuses:
        if restore is not None:
            return restore
        return components_to_restore(maintenance, at=moment) if maintenance.restore_components else {}

    return post(
        maintenance,
        EventKind.MAINTENANCE_COMPLETED,
        status=Status.COMPLETED,
        body=body if body.strip() else wording.MAINTENANCE_COMPLETED,
        actor=actor,
        notify=maintenance.notify_end if notify is None else notify,
        components=to_restore,
        at=at,
        expected_version=expected_version,
        submission_key=submission_key,
    )


def cancel(
    maintenance: Incident,
    *,
    actor: Actor,
    body: str = "",
    notify: bool = True,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """Call it off, begun or not: completed, with `cancelled_at` and a note. Components that it had set are restored.

    ValidationError fields: status, body, at.
    """
    return post(
        maintenance,
        EventKind.MAINTENANCE_CANCELED,
        status=Status.COMPLETED,
        body=body if body.strip() else lambda: _cancelled_text(maintenance),
        actor=actor,
        notify=notify,
        components=lambda moment: components_to_restore(maintenance, at=moment) if maintenance.is_running else {},
        at=at,
        expected_version=expected_version,
        submission_key=submission_key,
        changes={"cancelled_at": checks.moment(at)},
    )


def components_to_restore(maintenance: Incident, *, at: datetime | None = None) -> dict[Component, str]:
    """Its components that are under maintenance and that nobody else holds: what turns operational at its end.

    With an end `at` in the past, not those whose status was set after it.
    """
    held = Component.objects.held_by_others(maintenance).values("pk")
    own = Component.objects.active().named_by(maintenance).exclude(pk__in=held).in_page_order()
    kept = [c for c in own if c.status == ComponentStatus.UNDER_MAINTENANCE]
    return {c: ComponentStatus.OPERATIONAL for c in kept if at is None or status_history.unchanged_since(c, at)}


def _rename_components(maintenance: Incident, components: Sequence[Component]) -> None:
    """Before it begins, the rows that only name a component carry no history and may be replaced."""
    if not maintenance.is_upcoming:
        raise ValidationError({"components": "It has begun. Post an update to name further components."})
    AffectedComponent.objects.filter(update__incident=maintenance, old_status=F("new_status")).delete()
    name_components(maintenance.updates.earliest("display_at", "pk"), components)


def _check_move(maintenance: Incident, old: tuple[datetime, datetime], new: tuple[datetime, datetime]) -> None:
    now = timezone.now()
    if new == old:
        raise ValidationError({"scheduled_for": "These are the times that it has already."})
    if not maintenance.is_running:
        checks.start_ahead(new[0], now=now)
        return
    if new[0] != old[0]:
        raise ValidationError({"scheduled_for": "It has begun, so only its end can move."})
    if new[1] <= now:
        raise ValidationError({"scheduled_until": "This end has passed. To end it now, complete it."})


def _cancelled_text(maintenance: Incident) -> str:
    return wording.MAINTENANCE_CUT_SHORT if maintenance.is_running else wording.MAINTENANCE_CANCELLED
