"""Create deliveries: one per event and subscriber, and one per requested email."""

from typing import Any

from django.db import connection, transaction
from django.db.models import BigIntegerField, F, Model, Q, QuerySet, Value
from django.db.models.functions import Now

from incidents.models import Event
from incidents.models.event_kinds import NOTIFIED_KINDS, Priority
from statuspage.notifications.account_email_requests import fan_out_account_requests
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.subscribers.models import Channel, EmailRequest, Subscriber
from statuspage.subscribers.models.event_audience import event_scope_of

# Rows of an event per transaction, which takes a fraction of a second: a new event does not wait for a large one.
PORTION = 20_000
# Requested emails per round. These are written one by one, and an import can request thousands.
REQUESTS = 1_000
BATCH = 500


def fan_out_waiting() -> int:
    """Fan out all waiting events. Return the number of events that notify subscribers."""
    event_ids: set[int] = set()
    while (portions := fan_out_round()) or fan_out_requests():
        event_ids.update(portions)
    return len(event_ids)


def fan_out_round() -> list[int]:
    """Fan out one portion of every waiting event, then requested emails. Return the ids of those events."""
    notifying = Q(notify=True, kind__in=NOTIFIED_KINDS)
    # Most events notify nobody, and an import creates thousands of them: mark them in one statement.
    Event.objects.waiting_for_fan_out().exclude(notifying).order_by().update(fanned_out_at=Now())
    waiting = Event.objects.waiting_for_fan_out().filter(notifying).values_list("incident_id", "pk")
    # Only the oldest event of each incident: "resolved" must not be sent before "investigating".
    oldest = dict(reversed(list(waiting)))
    portions = sorted(oldest.values())
    for event_id in portions:
        fan_out(event_id)
    fan_out_account_requests()
    fan_out_requests()
    return portions


def fan_out_requests() -> int:
    """Turn up to REQUESTS emails that sign-up requested into deliveries. Return the number of subscribers."""
    if not EmailRequest.objects.exists():
        return 0
    with transaction.atomic():
        requests = list(EmailRequest.objects.select_for_update(skip_locked=True).order_by("pk")[:REQUESTS])
        latest = {request.subscriber_id: request for request in requests}
        for start in range(0, len(latest), BATCH):
            Delivery.objects.replace_requests(list(latest)[start : start + BATCH])
        Delivery.objects.bulk_create(
            (
                Delivery(
                    kind=request.kind,
                    subscriber_id=request.subscriber_id,
                    channel=Channel.EMAIL,
                    priority=Priority.LOW if request.is_bulk else Priority.URGENT,
                )
                for request in latest.values()
            ),
            batch_size=BATCH,
        )
        EmailRequest.objects.filter(pk__among=[request.pk for request in requests]).delete()
    return len(latest)


@transaction.atomic
def fan_out(event_id: int) -> int:
    """Create the next PORTION deliveries of an event, ordered by subscriber, and mark it if those were the last.

    Return the number of new rows. Idempotent. The event is locked: a second dispatcher waits, then continues where this
    one stopped.
    """
    event = Event.objects.select_for_update().get(pk=event_id)
    if event.fanned_out_at:
        return 0
    created, is_done = _insert_deliveries(event) if event.notify and event.kind in NOTIFIED_KINDS else (0, True)
    if is_done:
        Event.objects.filter(pk=event.pk).update(fanned_out_at=Now())
    return created


def _insert_deliveries(event: Event) -> tuple[int, bool]:
    """Return the number of rows in the next portion, and whether it was the last."""
    columns = {
        "kind": Value(DeliveryKind.EVENT.value),
        "event_id": Value(event.pk),
        "incident_id": Value(event.incident_id, output_field=BigIntegerField()),
        "priority": Value(event.properties.priority),
        "subscriber_id": F("pk"),
        "channel": F("channel"),
    }
    recipients = Subscriber.objects.audience(event.page, at=event.created_at).order_by("pk")
    recipients = recipients.receiving(event.kind).matching(event_scope_of(event))
    # The existing deliveries show where to continue.
    recipients = recipients.filter(pk__gt=Delivery.objects.last_recipient_of(event))
    last = recipients.values_list("pk", flat=True)[PORTION - 1 : PORTION].first()
    return insert_select(Delivery, columns, recipients.filter(pk__lte=last) if last else recipients), last is None


def insert_select(model: type[Model], columns: dict[str, Any], rows: QuerySet[Any]) -> int:
    """Insert one `model` per row of `rows` and skip existing ones. Return the number of new rows.

    The rows stay in the database: a million subscribers need one statement and no memory.
    """
    aliased = {f"new_{name}": expression for name, expression in columns.items()}
    select, params = rows.annotate(**aliased).values(*aliased).query.get_compiler(connection=connection).as_sql()
    quote = connection.ops.quote_name
    table, names = quote(model._meta.db_table), ", ".join(map(quote, columns))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) {select} ON CONFLICT DO NOTHING", params)
        return int(cursor.rowcount)
