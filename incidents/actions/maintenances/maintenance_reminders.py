"""Remind subscribers that a maintenance is about to begin."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from incidents import clock
from incidents.actions._audit import record
from incidents.actor import SYSTEM
from incidents.models import EventKind, Incident, MaintenanceReminder


@transaction.atomic
def remind(reminder: MaintenanceReminder, *, now: datetime) -> bool:
    """Tell subscribers that the maintenance is about to begin, once. False if it was skipped: it has begun already.

    What they are told is the announcement: that says what it is about, later updates may only say that it moved.
    """
    due = MaintenanceReminder.objects.waiting().filter(pk=reminder.pk, due_at__lte=now)
    locked = Incident.objects.select_related("page").select_for_update(of=("self",), no_key=True)
    maintenance = locked.get(pk=reminder.incident_id)
    start, _ = maintenance.window
    if not maintenance.is_upcoming or maintenance.hidden_at or start <= now:
        due.update(skipped_at=now)
        return False
    if not due.update(sent_at=now):
        return False
    record(
        maintenance.page,
        EventKind.MAINTENANCE_REMINDER,
        maintenance,
        actor=SYSTEM,
        notify=True,
        details={"minutes_before": reminder.minutes_before},
        incident=maintenance,
        update=maintenance.updates.earliest("display_at", "pk"),
    )
    return True


def set_reminders(maintenance: Incident, leads: Sequence[int]) -> None:
    """Exactly these; what was sent stays sent."""
    maintenance.reminders.exclude(minutes_before__in=leads).delete()
    existing = set(maintenance.reminders.values_list("minutes_before", flat=True))
    new = [MaintenanceReminder(incident=maintenance, minutes_before=lead) for lead in leads if lead not in existing]
    for reminder in new:
        _plan(reminder, maintenance.window[0])
    MaintenanceReminder.objects.bulk_create(new)


def move_reminders(maintenance: Incident, start: datetime) -> None:
    """Along with the start. Those whose new time lies ahead are sent then, even if they were sent for the old one."""
    reminders = list(maintenance.reminders.all())
    for reminder in reminders:
        _plan(reminder, start)
    MaintenanceReminder.objects.bulk_update(reminders, ["due_at", "sent_at", "skipped_at"])


def _plan(reminder: MaintenanceReminder, start: datetime) -> None:
    """One whose time is over already is skipped: who reads of the new time now needs no second mail."""
    now = clock.now()
    reminder.due_at = start - timedelta(minutes=reminder.minutes_before)
    if reminder.due_at > now:
        reminder.sent_at = reminder.skipped_at = None
    elif reminder.sent_at is None:
        reminder.skipped_at = now
