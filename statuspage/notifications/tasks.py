"""What a ring of the doorbell does in a Celery worker. The dispatcher calls the same functions itself."""

from celery import shared_task

from statuspage.notifications.models import Heartbeat
from statuspage.notifications.worker import deliver_due


@shared_task(name="subscribers.deliver")  # type: ignore[untyped-decorator]  # Celery ships no types
def deliver(channel: str) -> None:
    Heartbeat.objects.beat("worker")
    deliver_due(channel)


@shared_task(name="subscribers.beat")  # type: ignore[untyped-decorator]
def beat() -> None:
    Heartbeat.objects.beat("worker")
