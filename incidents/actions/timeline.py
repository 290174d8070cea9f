"""Writing status history: the only writer of StatusInterval and of Component.status."""

from datetime import datetime

from django.utils import timezone

from incidents.models import Component, IncidentUpdate, StatusInterval


def begin_history(component: Component, *, at: datetime) -> None:
    """A new component's first interval. Known since `at`, but on record only from now on."""
    StatusInterval.objects.create(component=component, status=component.status, started_at=at)


def record_status(component: Component, status: str, *, at: datetime, update: IncidentUpdate | None = None) -> str:
    """`component` had `status` from `at` until the next recorded change, and has it now. Returns what it had at `at`.

    The present is always what the author says. A time in the past is filled up to the next change that somebody else
    recorded, so that no later report is rewritten; nothing is deleted, replaced rows are stamped as superseded.
    """
    now = timezone.now()
    old = _insert(component, status, at=at, update=update, now=now)
    last = component.intervals.as_corrected().order_by("started_at").last()
    if last is None or last.status != status:
        _insert(component, status, at=now, update=update, now=now)
    if component.status != status:
        component.status = status
        component.updated_at = now
        component.save(update_fields=["status", "updated_at"])
    return old


def _insert(component: Component, status: str, *, at: datetime, update: IncidentUpdate | None, now: datetime) -> str:
    """Returns the status that `at` had before. Rows are replaced at one moment, `now`: no view falls in between."""
    live = component.intervals.as_corrected().order_by("started_at")
    covering = live.filter(started_at__lte=at).last()
    if covering and covering.status == status:
        return status
    replaced = covering
    following = live.filter(started_at__gt=at).first()
    if covering is None and following and following.update_id is None:
        # The row that a component was made with only says since when it is known: that is no change to stop at.
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
