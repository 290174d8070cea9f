"""Scheduled steps: due drafts, reminders, starts and ends of maintenances. Called by the dispatcher at every tick."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from django.db import Error as DatabaseTrouble

from incidents.actions.drafts import draft_lifecycle
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.maintenances.maintenance_reminders import remind
from incidents.actions.maintenances.maintenance_series import create_due_occurrences
from incidents.actions.update_input import UpdateInput
from incidents.actor import SYSTEM
from incidents.errors import EditConflict
from incidents.models import Draft, Incident, MaintenanceReminder, MaintenanceSeries

logger = logging.getLogger(__name__)

_reported: deque[str] = deque(maxlen=100)

Step = Callable[[], bool]


def run_due(now: datetime) -> int:
    """Run all steps that are due at `now` and return their number. One query if nothing is due.

    Several processes may call it at the same time: each step runs once. Missed starts and ends run in chronological
    order with their scheduled times. A step that fails is logged and retried at the next call.
    """
    if not _is_anything_due(now):
        return 0
    return sum(_take(step) for step in (*_drafts(now), *_reminders(now), *_starts_and_ends(now), *_refills(now)))


def _is_anything_due(now: datetime) -> bool:
    due = (
        Incident.objects.due_to_start(now),
        Incident.objects.due_to_complete(now),
        Draft.objects.due(now),
        MaintenanceReminder.objects.due(now),
        MaintenanceSeries.objects.due_to_refill(now),
    )
    first, *others = (rows.order_by().values("pk") for rows in due)
    return first.union(*others, all=True).exists()


def _take(step: Step) -> bool:
    try:
        return step()
    except EditConflict:
        return False  # another dispatcher or a person changed it at the same time: retry at the next tick
    except DatabaseTrouble:
        raise
    except Exception as error:
        _report(error)
        return False


def _report(error: Exception) -> None:
    """Log an error once: the step is retried twice a second."""
    message = repr(error)
    if message not in _reported:
        _reported.append(message)
        logger.exception("A scheduled step failed and will be retried.", exc_info=error)


def _drafts(now: datetime) -> Iterator[Step]:
    for draft in Draft.objects.due(now).with_incident():
        yield partial(draft_lifecycle.publish_due, draft, now=now)


def _reminders(now: datetime) -> Iterator[Step]:
    for reminder in MaintenanceReminder.objects.due(now):
        yield partial(remind, reminder, now=now)


def _starts_and_ends(now: datetime) -> list[Step]:
    """In chronological order. At the same time, ends come before starts, because they release components."""
    starting = list(Incident.objects.due_to_start(now).select_related("page"))
    ending = [*Incident.objects.due_to_complete(now).select_related("page")]
    ending += [maintenance for maintenance in starting if maintenance.auto_complete and maintenance.window[1] <= now]
    steps = [(maintenance.window[0], 1, maintenance.pk, partial(_start, maintenance)) for maintenance in starting]
    steps += [(maintenance.window[1], 0, maintenance.pk, partial(_complete, maintenance)) for maintenance in ending]
    return [step for *_, step in sorted(steps, key=lambda entry: entry[:3])]


def _start(maintenance: Incident) -> bool:
    at = max(maintenance.window[0], maintenance.last_update_at)
    maintenance_lifecycle.start(maintenance, UpdateInput(at=at, expected_version=maintenance.version), actor=SYSTEM)
    return True


def _complete(maintenance: Incident) -> bool:
    if not maintenance.is_running:
        return False  # another process took its start, which was due in the same tick
    at = max(maintenance.window[1], maintenance.last_update_at)
    maintenance_lifecycle.complete(maintenance, UpdateInput(at=at, expected_version=maintenance.version), actor=SYSTEM)
    return True


def _refills(now: datetime) -> Iterator[Step]:
    for series in MaintenanceSeries.objects.due_to_refill(now):
        yield partial(_refill, series, now)


def _refill(series: MaintenanceSeries, now: datetime) -> bool:
    return bool(create_due_occurrences(series, now))
