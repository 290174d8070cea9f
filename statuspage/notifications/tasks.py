"""The tasks that the dispatcher sends to Celery workers."""

from celery import shared_task

from statuspage.notifications.models import Heartbeat
from statuspage.notifications.worker import deliver_due
from statuspage.notifications.worker_wakeup import BEAT_TASK, DELIVER_TASK


@shared_task(name=DELIVER_TASK)  # type: ignore[untyped-decorator]  # Celery ships no types
def deliver(channel: str) -> None:
    Heartbeat.objects.beat("worker")
    deliver_due(channel)


@shared_task(name=BEAT_TASK)  # type: ignore[untyped-decorator]
def beat() -> None:
    Heartbeat.objects.beat("worker")
