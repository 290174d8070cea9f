"""From an Event to one Delivery per subscriber: the only writer of news into the ledger."""

from typing import Any

from django.db import connection, transaction
from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.functions import Now

from incidents.models import Event, EventKind
from statuspage.subscribers.models import Delivery, DeliveryKind, Priority, Subscriber

# What subscribers are told of; all other events concern pages and feeds only.
PRIORITY_OF = {
    EventKind.INCIDENT_OPENED: Priority.URGENT,
    EventKind.INCIDENT_UPDATED: Priority.NORMAL,
    EventKind.INCIDENT_RESOLVED: Priority.NORMAL,
    EventKind.INCIDENT_REOPENED: Priority.NORMAL,
    EventKind.MAINTENANCE_SCHEDULED: Priority.NORMAL,
    EventKind.MAINTENANCE_RESCHEDULED: Priority.NORMAL,
    EventKind.MAINTENANCE_REMINDER: Priority.NORMAL,
    EventKind.MAINTENANCE_STARTED: Priority.NORMAL,
    EventKind.MAINTENANCE_UPDATED: Priority.NORMAL,
    EventKind.MAINTENANCE_COMPLETED: Priority.NORMAL,
    EventKind.MAINTENANCE_CANCELLED: Priority.NORMAL,
    EventKind.POSTMORTEM_PUBLISHED: Priority.LOW,
}


def fan_out_waiting() -> int:
    """Fan out every event that waits, oldest first; how many concern subscribers."""
    told = Q(notify=True, kind__in=PRIORITY_OF)
    # Most events are silent, and after an import there are thousands: those are stamped together.
    Event.objects.waiting_for_fan_out().exclude(told).order_by().update(fanned_out_at=Now())
    waiting = list(Event.objects.waiting_for_fan_out().filter(told).values_list("pk", flat=True))
    for event_id in waiting:
        fan_out(event_id)
    return len(waiting)


@transaction.atomic
def fan_out(event_id: int) -> int:
    """Write the deliveries of an event and stamp it, both or neither; how many rows. Twice is harmless.

    The event's row is locked: a second dispatcher waits here, so that no later event about the same incident gets its
    deliveries first, which would let a "resolved" overtake an "investigating".
    """
    event = Event.objects.select_for_update().get(pk=event_id)
    if event.fanned_out_at:
        return 0
    made = _insert_deliveries(event) if event.notify and event.kind in PRIORITY_OF else 0
    Event.objects.filter(pk=event.pk).update(fanned_out_at=Now())
    return made


def _insert_deliveries(event: Event) -> int:
    columns = {
        "kind": Value(DeliveryKind.EVENT.value),
        "event_id": Value(event.pk),
        "incident_id": Value(event.incident_id),
        "priority": Value(PRIORITY_OF[EventKind(event.kind)].value),
        "subscriber_id": F("pk"),
        "channel": F("channel"),
    }
    told = Subscriber.objects.audience(event.page, at=event.created_at).order_by("pk")
    return insert_select(Delivery, columns, told)


def insert_select(model: type[Model], columns: dict[str, Any], rows: QuerySet[Any]) -> int:
    """Insert one `model` per row of `rows`, leaving out those that are there already; how many were new.

    The rows never travel: a million subscribers cost one statement and no memory.
    """
    aliased = {f"new_{name}": expression for name, expression in columns.items()}
    select, params = rows.annotate(**aliased).values(*aliased).query.get_compiler(connection=connection).as_sql()
    quote = connection.ops.quote_name
    table, names = quote(model._meta.db_table), ", ".join(map(quote, columns))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) {select} ON CONFLICT DO NOTHING", params)
        return int(cursor.rowcount)
