"""Recurring maintenances. The page shows the next OCCURRENCES_AHEAD occurrences, each as its own maintenance."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from incidents import clock, recurrence
from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.maintenances._maintenance_create import MaintenanceOptions, create_maintenance
from incidents.actions.update_input import UpdateInput
from incidents.actor import SYSTEM, Actor
from incidents.models import Component, EventKind, Incident, MaintenanceSeries, Page
from incidents.text import wording
from incidents.text.time_shorthand import Clock

OCCURRENCES_AHEAD = 3


# What visitors read of a series.


def create_series(
    page: Page,
    *,
    title: str,
    body: str,
    rule: str,
    starts_at: datetime,
    duration: timedelta,
    actor: Actor,
    components: Sequence[Component] = (),
    options: MaintenanceOptions | None = None,
    notify: bool = True,
    at: datetime | None = None,
    submission_key: str = "",
) -> MaintenanceSeries:
    """Create a maintenance that repeats by `rule` (RFC 5545 RRULE) from `starts_at`, a naive time in the page's zone.

    Creates its next occurrences immediately. `notify` notifies subscribers of the first one; for later ones they
    receive reminders and the start. `at` backdates the series: its next occurrences are those after that time.

    ValidationError fields: title, body, rule, starts_at, duration, components, reminders, at.
    """
    options = options or MaintenanceOptions()
    fields = _fields(title, body, rule, starts_at, duration, options, time_zone=page.time_zone)
    try:
        with transaction.atomic():
            series = MaintenanceSeries.objects.create(
                page=page, time_zone=page.time_zone, submission_key=submission_key or None, **fields
            )
            series.components.set(checks.components(page, {component: component.status for component in components}))
            _fill(series, now=checks.moment(at), actor=actor, notify_first=notify)
            details = {"created": series.title, "rule": series.rule, "body": series.body}
            _record(series, actor, details | options.details)
    except IntegrityError:
        if not submission_key:
            raise
        return MaintenanceSeries.objects.get(submission_key=submission_key)
    return series


@transaction.atomic
def edit_series(
    series: MaintenanceSeries,
    *,
    title: str,
    body: str,
    rule: str,
    starts_at: datetime,
    duration: timedelta,
    actor: Actor,
    components: Sequence[Component] = (),
    options: MaintenanceOptions | None = None,
    notify: bool = False,
    expected_version: int | None = None,
) -> MaintenanceSeries:
    """Change the series and its upcoming occurrences, except those that were moved, canceled or started individually.

    Occurrences on days that do not match the new rule are canceled. `notify` notifies subscribers of each change.
    """
    take_version(series, expected_version)
    if series.ended_at:
        raise ValidationError("This series has ended.")
    options = options or MaintenanceOptions()
    fields = _fields(title, body, rule, starts_at, duration, options, time_zone=series.time_zone)
    upcoming = series.occurrences.upcoming().select_related("page")
    unmoved = [(occurrence, occurrence.occurrence_on) for occurrence in upcoming if _is_as_planned(occurrence, series)]
    before = _shown(series)
    for name, value in fields.items():
        setattr(series, name, value)
    series.save(update_fields=list(fields))
    series.components.set(checks.components(series.page, {component: component.status for component in components}))
    for occurrence, day in unmoved:
        if day:
            _apply_changes(occurrence, day, series, old_body=before["body"], actor=actor, notify=notify)
    _fill(series, now=clock.now(), actor=actor)
    _record(series, actor, {"title": series.title, "before": before, "changed": _shown(series)})
    return series


@transaction.atomic
def end_series(
    series: MaintenanceSeries,
    *,
    actor: Actor,
    cancel_upcoming: bool = True,
    body: str = "",
    notify: bool = True,
    expected_version: int | None = None,
) -> MaintenanceSeries:
    """End the series. Its upcoming occurrences are canceled with the text `body`, or kept."""
    take_version(series, expected_version)
    if series.ended_at:
        raise ValidationError("This series has ended.")
    series.ended_at, series.refill_at = clock.now(), None
    series.save(update_fields=["ended_at", "refill_at"])
    upcoming = list(series.occurrences.upcoming().select_related("page")) if cancel_upcoming else []
    for occurrence in upcoming:
        maintenance_lifecycle.cancel(occurrence, UpdateInput(body=body, notify=notify), actor=actor)
    _record(series, actor, {"ended": series.title, "cancelled": len(upcoming)})
    return series


@transaction.atomic
def create_due_occurrences(
    series: MaintenanceSeries, now: datetime, *, actor: Actor = SYSTEM, notify_first: bool = False
) -> list[Incident]:
    """Create those of the next OCCURRENCES_AHEAD occurrences after `now` that do not exist. Idempotent.

    A day gets no second occurrence if its occurrence was moved or canceled.
    """
    # The lock makes a second dispatcher wait, which then finds the new occurrences. The version does not change, so
    # that staff who edit the series get no conflict. `no_key` avoids a deadlock with transactions that hold the page:
    # PostgreSQL checks the foreign keys of their occurrences on commit and would wait for a full lock on the series.
    locked = MaintenanceSeries.objects.select_for_update(no_key=True).get(pk=series.pk)
    if locked.ended_at:
        return []
    slots = recurrence.upcoming(
        locked.rule, starts_at=locked.starts_at, zone=locked.zone, after=now, count=OCCURRENCES_AHEAD
    )
    existing = set(locked.occurrences.values_list("occurrence_on", flat=True))
    missing = [slot for slot in slots if slot.on not in existing]
    created = [
        _occurrence(locked, slot, at=now, actor=actor, notify=notify_first and number == 0)
        for number, slot in enumerate(missing)
    ]
    series.refill_at = slots[0].starts_at if slots else None
    MaintenanceSeries.objects.filter(pk=series.pk).update(refill_at=series.refill_at)
    return created


def _fields(
    title: str,
    body: str,
    rule: str,
    starts_at: datetime,
    duration: timedelta,
    options: MaintenanceOptions,
    *,
    time_zone: str,
) -> dict[str, Any]:
    """Validate the input and return the model fields."""
    try:
        rule = recurrence.check(rule, starts_at=starts_at, time_zone=time_zone)
    except recurrence.RuleError as error:
        raise ValidationError({error.field: str(error)}) from None
    if not timedelta(0) < duration <= checks.LONGEST_WINDOW:
        raise ValidationError({"duration": f"Enter a duration of up to {checks.LONGEST_WINDOW.days} days."})
    return {
        "title": checks.title(title),
        "body": checks.body(body)[0],
        "rule": rule,
        "starts_on": starts_at.date(),
        "start_time": starts_at.time().replace(microsecond=0),
        "duration": duration,
        "reminders": checks.reminders(options.reminders),
        **options.switches,
    }


def _fill(series: MaintenanceSeries, *, now: datetime, actor: Actor, notify_first: bool = False) -> None:
    create_due_occurrences(series, now, actor=actor, notify_first=notify_first)
    if series.refill_at is None:
        raise ValidationError({"rule": "This rule has no future occurrences."})


def _occurrence(
    series: MaintenanceSeries, slot: recurrence.Slot, *, at: datetime, actor: Actor, notify: bool
) -> Incident:
    return create_maintenance(
        series.page,
        title=series.title,
        text=checks.body(series.body, clock=Clock(series.page.zone, slot.starts_at)),
        window=(slot.starts_at, slot.starts_at + series.duration),
        components=list(series.components.active()),
        options=MaintenanceOptions.of(series, series.reminders),
        actor=actor,
        notify=notify,
        at=at,
        series=series,
        occurrence_on=slot.on,
    )


def _planned(series: MaintenanceSeries, day: date) -> tuple[datetime, datetime]:
    """The window that the series gives its occurrence of that day."""
    start = recurrence.instant(datetime.combine(day, series.start_time), series.zone)
    return start, start + series.duration


def _is_as_planned(occurrence: Incident, series: MaintenanceSeries) -> bool:
    """Return whether the occurrence was not moved individually."""
    day = occurrence.occurrence_on
    return day is not None and occurrence.window == _planned(series, day)


def _apply_changes(
    occurrence: Incident, day: date, series: MaintenanceSeries, *, old_body: str, actor: Actor, notify: bool
) -> None:
    """Apply the changes of the series to an upcoming occurrence. Cancel it if the rule no longer includes its day."""
    window = _planned(series, day)
    stays = recurrence.fires_on(series.rule, starts_at=series.starts_at, zone=series.zone, day=day)
    if not stays or window[0] <= clock.now():
        maintenance_lifecycle.cancel(occurrence, UpdateInput(body=wording.SERIES_CHANGED, notify=notify), actor=actor)
        # Free the day, in case the rule changes back.
        Incident.objects.filter(pk=occurrence.pk).update(occurrence_on=None)
        return
    if window != occurrence.window:
        maintenance_lifecycle.reschedule(
            occurrence, UpdateInput(notify=notify), scheduled_for=window[0], scheduled_until=window[1], actor=actor
        )
    announcement = occurrence.updates.earliest("display_at", "pk")
    if announcement.body == old_body:
        incident_actions.edit_update(announcement, body=series.body, actor=actor)
    if occurrence.title != series.title:
        changes = {"title": series.title, "calendar_sequence": F("calendar_sequence") + 1}
        Incident.objects.filter(pk=occurrence.pk).update(**changes)
    maintenance_lifecycle.change_options(
        occurrence,
        options=MaintenanceOptions.of(series, series.reminders),
        components=list(series.components.active()),
        actor=actor,
    )


def _shown(series: MaintenanceSeries) -> dict[str, Any]:
    texts = {name: str(getattr(series, name)) for name in ("title", "body", "rule", "starts_at", "duration")}
    return texts | MaintenanceOptions.of(series, series.reminders).details


def _record(series: MaintenanceSeries, actor: Actor, details: dict[str, Any]) -> None:
    record(series.page, EventKind.SERIES_CHANGED, series, actor=actor, details=details)
