"""Correct times and status history. Earlier values stay on record: rows are superseded, never deleted."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.html import format_html

from incidents import clock
from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions.components import status_history
from incidents.actor import Actor
from incidents.models import Component, EventKind, Incident, IncidentUpdate, Revision
from incidents.models.states import ComponentStatus
from incidents.plain_text import clock_of
from incidents.text.time_shorthand import has_shorthand
from incidents.text.wording import moment_text

_TIMES = ("started_at", "monitoring_at", "resolved_at", "last_update_at")


@transaction.atomic
def correct_update_time(
    update: IncidentUpdate, *, at: datetime, actor: Actor, reason: str = "", expected_version: int | None = None
) -> IncidentUpdate:
    """`update` tells of something that happened at `at`, not at the time it gives.

    Moves the changes of component status that it made, and the incident's own times where they were this update's.
    Visitors see that the time was corrected. ValidationError for `at`: in the future, on the wrong side of the updates
    before and after it, or beyond another change of one of its components.
    """
    if at == update.display_at:
        return update
    take_version(update, expected_version)
    incident = Incident.objects.select_for_update(of=("self",)).select_related("page").get(pk=update.incident_id)
    update.incident = incident
    old, at = update.display_at, checks.moment(at)
    _check_order(update, at)
    components = Component.objects.filter(affected__update=update).select_related("group")
    for component in components.select_for_update(of=("self",)).order_by("pk"):
        status_history.move_change(component, update=update, old_at=old, new_at=at)
    _keep_old_time(update, at, actor)
    update.display_at, update.edited_at = at, clock.now()
    update.body_html = _html_at(update, at)
    update.save(update_fields=["display_at", "edited_at", "body_html"])
    moved = {name: at for name in _TIMES if getattr(incident, name) == old}
    Incident.objects.filter(pk=incident.pk).update(**moved, updated_at=clock.now())
    details = {"old_time": old.isoformat(), "new_time": at.isoformat(), "reason": reason.strip()}
    record(
        incident.page, EventKind.UPDATE_EDITED, update, actor=actor, details=details, incident=incident, update=update
    )
    return update


@transaction.atomic
def correct_history(
    component: Component, status: str, *, start: datetime, end: datetime, actor: Actor, reason: str
) -> None:
    """`component` had `status` from `start` to `end`, whatever its history says now; `reason` goes into the audit log.

    For a status that was set by mistake, at the wrong time, or forgotten. `end` is over: what holds now is said by an
    update or by hand. ValidationError names the field.
    """
    reason = checks.line(reason, field="reason", what="The reason")
    if status not in ComponentStatus.values:
        raise ValidationError({"status": f"“{status}” is not a component status."})
    start, end = checks.moment(start, field="start"), checks.moment(end, field="end")
    if end <= start:
        raise ValidationError({"end": "Enter an end time after the start time."})
    if end > clock.now():
        raise ValidationError({"end": "The end time is in the future. Set the current status instead."})
    locked = Component.objects.select_for_update(of=("self",)).select_related("group", "page").get(pk=component.pk)
    replaced = status_history.overwrite(locked, status, start=start, end=end)
    details = {"old": replaced, "new": status, "start": start.isoformat(), "end": end.isoformat(), "reason": reason}
    record(locked.page, EventKind.HISTORY_CORRECTED, locked, actor=actor, details=details, component=locked)


def _check_order(update: IncidentUpdate, at: datetime) -> None:
    """Updates stay in the order in which they were posted."""
    posted = list(update.incident.updates.newest_first())
    number = posted.index(update)
    later, earlier = posted[:number], posted[number + 1 :]
    if later and at > later[-1].display_at:
        raise ValidationError({"at": f"This is after the next update ({later[-1].display_at:%Y-%m-%d %H:%M} UTC)."})
    if earlier:
        checks.moment(at, not_before=earlier[0].display_at)


def _html_at(update: IncidentUpdate, at: datetime) -> str:
    """Its `@14:14` may be on another day now; all else stays as it was written."""
    if not has_shorthand(update.body):
        return update.body_html
    return checks.body(update.body, clock=clock_of(update.incident, status=update.status, at=at))[1]


def _keep_old_time(update: IncidentUpdate, at: datetime, actor: Actor) -> None:
    zone = update.incident.page.zone
    change = format_html(
        "Time corrected from <del>{}</del> to <ins>{}</ins>.",
        moment_text(update.display_at, zone),
        moment_text(at, zone),
    )
    Revision.objects.create(update=update, body=update.body, change_html=change, actor_label=actor.label)
