"""Write the status history: the only code that writes StatusInterval and Component.status."""

from datetime import datetime

from django.core.exceptions import ValidationError

from incidents import clock
from incidents.models import AffectedComponent, Component, Incident, IncidentUpdate, StatusInterval
from incidents.models.states import ComponentStatus, Status


def begin_history(component: Component, *, at: datetime) -> None:
    """Create the first interval of a new component. It starts at `at` and is recorded now."""
    StatusInterval.objects.create(component=component, status=component.status, started_at=at)


def begin_earlier(component: Component, *, at: datetime) -> None:
    """Extend the first interval back to `at`. Does nothing if the history already starts earlier."""
    first = component.intervals.as_corrected().order_by("started_at").first()
    if first and at < first.started_at:
        _replace(first, now=clock.now(), started_at=at)


def reach_back(component: Component, *, at: datetime) -> None:
    """Extend the history back to `at`. Before its first interval the component was operational."""
    first = component.intervals.as_corrected().order_by("started_at").first()
    if first is None or first.started_at <= at:
        return
    if first.status == ComponentStatus.OPERATIONAL:
        _replace(first, now=clock.now(), started_at=at)
        return
    StatusInterval.objects.create(
        component=component, status=ComponentStatus.OPERATIONAL, started_at=at, ended_at=first.started_at
    )


def record_status(component: Component, status: str, *, at: datetime, update: IncidentUpdate | None = None) -> str:
    """Record `status` from `at` until the next recorded change, and as the current status. Return the status at `at`.

    Later changes are not rewritten: a time in the past is filled only up to the next recorded change. Nothing is
    deleted; replaced rows are marked as superseded.
    """
    now = clock.now()
    old = _insert(component, status, at=at, update=update, now=now)
    last = component.intervals.as_corrected().order_by("started_at").last()
    if last is None or last.status != status:
        _insert(component, status, at=now, update=update, now=now)
    if component.status != status:
        component.status = status
        component.updated_at = now
        component.save(update_fields=["status", "updated_at"])
    return old


def status_at(component: Component, at: datetime) -> str:
    """Return the status at `at` as known now, or the current status if the history does not cover that time."""
    covering = component.intervals.as_corrected().filter(started_at__lte=at).order_by("started_at").last()
    return covering.status if covering else component.status


def unchanged_since(component: Component, at: datetime) -> bool:
    """Return whether the status has not changed since `at`."""
    return not component.intervals.as_corrected().filter(started_at__gt=at).exists()


def _insert(component: Component, status: str, *, at: datetime, update: IncidentUpdate | None, now: datetime) -> str:
    """Return the previous status at `at`. All rows are replaced at `now`, so that every "as of" view is complete."""
    live = component.intervals.as_corrected().order_by("started_at")
    covering = live.filter(started_at__lte=at).last()
    if covering and covering.status == status:
        return status
    replaced = covering
    following = live.filter(started_at__gt=at).first()
    if covering is None and following and following.update_id is None:
        # The first row of a component only records when it was created, which is not a change to stop at.
        replaced, following = following, live.filter(started_at__gt=following.started_at).first()
    if replaced:
        StatusInterval.objects.filter(pk=replaced.pk).update(superseded_at=now)
    if covering and covering.started_at < at:
        StatusInterval.objects.create(
            component=component,
            status=covering.status,
            started_at=covering.started_at,
            ended_at=at,
            update_id=covering.update_id,
            recorded_at=now,
        )
    StatusInterval.objects.create(
        component=component,
        status=status,
        started_at=at,
        ended_at=following.started_at if following else None,
        update=update,
        recorded_at=now,
    )
    return replaced.status if replaced else component.status


def move_change(component: Component, *, update: IncidentUpdate, old_at: datetime, new_at: datetime) -> None:
    """Move the change that `update` made from `old_at` to `new_at` by replacing the rows before and after it.

    ValidationError if the component has another change between the two times, or at the new time. Does nothing if the
    update only repeated a status.
    """
    rows = component.intervals.as_corrected()
    changed = rows.filter(update=update, started_at=old_at).first()
    if changed is None:
        return
    before = rows.filter(ended_at=old_at).first()
    too_early = before is not None and new_at <= before.started_at
    if too_early or (changed.ended_at is not None and new_at >= changed.ended_at):
        name = component.full_name
        raise ValidationError({"at": f"{name} changed again before this time. Correct its status history instead."})
    now = clock.now()
    if before:
        _replace(before, now=now, ended_at=new_at)
    _replace(changed, now=now, started_at=new_at)


def overwrite(
    component: Component, status: str, *, start: datetime, end: datetime, update: IncidentUpdate | None = None
) -> list[str]:
    """Set `status` from `start` to `end`, whatever was recorded before. Return the replaced statuses.

    `end` is in the past, so the current status does not change. ValidationError if it would leave a gap in the history.
    """
    now = clock.now()
    live = component.intervals.as_corrected()
    first = live.order_by("started_at").first()
    if first is None or end < first.started_at:
        raise ValidationError(
            {"end": f"The history of {component.full_name} begins later. Choose an end time after its beginning."}
        )
    touched = list(live.overlapping(start, end).order_by("started_at"))
    StatusInterval.objects.filter(pk__in=[row.pk for row in touched]).update(superseded_at=now)
    remainders: list[tuple[StatusInterval, datetime, datetime | None]]
    remainders = [(row, row.started_at, start) for row in touched[:1] if row.started_at < start]
    remainders += [(row, end, row.ended_at) for row in touched[-1:] if row.ended_at is None or row.ended_at > end]
    for row, began, ended in remainders:
        _copy(row, now=now, started_at=began, ended_at=ended)
    StatusInterval.objects.create(
        component=component, status=status, started_at=start, ended_at=end, update=update, recorded_at=now
    )
    return [row.status for row in touched]


def _replace(row: StatusInterval, *, now: datetime, **changes: datetime | None) -> None:
    StatusInterval.objects.filter(pk=row.pk).update(superseded_at=now)
    _copy(row, now=now, **changes)


def _copy(row: StatusInterval, *, now: datetime, **changes: datetime | None) -> None:
    fields = {"started_at": row.started_at, "ended_at": row.ended_at} | changes
    StatusInterval.objects.create(
        component_id=row.component_id, status=row.status, update_id=row.update_id, recorded_at=now, **fields
    )


def status_before(component: Component, at: datetime) -> str:
    """Return the status until `at` as known now; operational if the history does not cover that time."""
    covering = component.intervals.as_corrected().filter(started_at__lt=at).order_by("started_at").last()
    return covering.status if covering else ComponentStatus.OPERATIONAL


def withdraw(component: Component, *, of: Incident | IncidentUpdate) -> bool:
    """Undo the changes that `of` made: the previous status continues until the next update that sets one.

    Updates the current status. Return whether anything changed.
    """
    rows = component.intervals.as_corrected()
    began = rows.filter(update=of) if isinstance(of, IncidentUpdate) else rows.filter(update__incident=of)
    now, withdrawn = clock.now(), list(began.order_by("started_at"))
    for row in withdrawn:
        _supersede(row, status_before(component, row.started_at), update=None, now=now, excluded_source=of)
    _follow_history(component, now=now)
    return bool(withdrawn)


def restate(component: Component, status: str, *, update: IncidentUpdate, until: datetime | None) -> None:
    """Replace the status that `update` set with `status`, and update the current status.

    If the update had not changed the status, it now does, from its time to the next change or `until`.
    """
    now = clock.now()
    began = component.intervals.as_corrected().filter(update=update).order_by("started_at").first()
    if began:
        _supersede(began, status, update=update, now=now, excluded_source=update)
    else:
        _begin(component, status, update=update, until=until, now=now)
    _follow_history(component, now=now)


def _begin(component: Component, status: str, *, update: IncidentUpdate, until: datetime | None, now: datetime) -> None:
    at, live = update.display_at, component.intervals.as_corrected().order_by("started_at")
    following = live.filter(started_at__gt=at).first()
    statements = _statuses_within(component, at, None, excluded_source=update)
    moments = (
        until,
        following.started_at if following else None,
        statements[0].update.display_at if statements else None,
    )
    ends = [moment for moment in moments if moment and moment > at]
    if ends:
        reach_back(component, at=at)
        overwrite(component, status, start=at, end=min(ends), update=update)
    else:
        _insert(component, status, at=at, update=update, now=now)


def _follow_history(component: Component, *, now: datetime) -> None:
    last = component.intervals.as_corrected().order_by("started_at").last()
    if last and last.status != component.status:
        component.status, component.updated_at = last.status, now
        component.save(update_fields=["status", "updated_at"])


def _supersede(
    row: StatusInterval,
    status: str,
    *,
    update: IncidentUpdate | None,
    now: datetime,
    excluded_source: Incident | IncidentUpdate,
) -> None:
    """Replace the status of `row` with `status` up to the next update that sets the component's status.

    Updates that repeated the status of `row` created no rows of their own, so their statuses are inserted here.
    """
    StatusInterval.objects.filter(pk=row.pk).update(superseded_at=now)
    component = row.component
    changes: list[tuple[datetime, str, IncidentUpdate | None]] = [(row.started_at, status, update)]
    changes += [
        (statement.update.display_at, statement.new_status, statement.update)
        for statement in _statuses_within(component, row.started_at, row.ended_at, excluded_source=excluded_source)
    ]
    if row.status == ComponentStatus.OPERATIONAL:
        # Incidents that were resolved in this time had nothing to restore. Now they restore the component.
        changes += [(at, row.status, None) for at in _resolved_within(component, row, excluded_source=excluded_source)]
    changes.sort(key=lambda change: change[0])
    ends = [at for at, *_ in changes[1:]]
    for (began, statement, by), ended in zip(changes, [*ends, row.ended_at], strict=True):
        if ended is None or began < ended:
            StatusInterval.objects.create(
                component=component, status=statement, started_at=began, ended_at=ended, update=by, recorded_at=now
            )


def _statuses_within(
    component: Component, start: datetime, end: datetime | None, *, excluded_source: Incident | IncidentUpdate
) -> list[AffectedComponent]:
    """Return the statuses that visible updates set after `start` and before `end`, oldest first.

    Updates of `excluded_source` are omitted.
    """
    rows = component.affected.filter(update__display_at__gt=start, update__incident__hidden_at__isnull=True)
    rows = rows.filter(update__display_at__lt=end) if end else rows
    # The announcement of a maintenance lists components but does not set their statuses.
    rows = rows.exclude(update__status=Status.SCHEDULED)
    source_filter = (
        {"update": excluded_source}
        if isinstance(excluded_source, IncidentUpdate)
        else {"update__incident": excluded_source}
    )
    return list(rows.exclude(**source_filter).select_related("update").order_by("update__display_at", "update__pk"))


def _resolved_within(
    component: Component, row: StatusInterval, *, excluded_source: Incident | IncidentUpdate
) -> list[datetime]:
    """Return when other visible incidents that affect it were resolved within `row`."""
    resolved = Incident.objects.affecting([component.pk]).filter(hidden_at__isnull=True, resolved_at__gt=row.started_at)
    resolved = resolved.filter(resolved_at__lt=row.ended_at) if row.ended_at else resolved
    excluded = excluded_source.pk if isinstance(excluded_source, Incident) else 0
    return [at for at in resolved.exclude(pk=excluded).values_list("resolved_at", flat=True) if at]
