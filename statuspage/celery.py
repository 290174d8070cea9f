"""Celery workers, which the dispatcher wakes. Redis transports only the wake-ups.

The settings below were tested with a Redis that froze while its host name moved to another address.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "statuspage.settings")

from typing import Any

from celery import Celery
from celery.signals import worker_process_shutdown
from django.conf import settings

app = Celery("candor", broker=settings.REDIS_URL or None, include=["statuspage.notifications.tasks"])

app.conf.update(
    # A separate queue, in case other programs use the same Redis.
    task_default_queue="candor",
    broker_transport_options={
        # After 2 minutes, the wake-up of a worker that died is delivered again; the dispatcher sends one before.
        "visibility_timeout": 120,
        # Without it kombu passes None, and a half-open connection hangs forever. A worker reaches this limit several
        # times before it gives up on a frozen server: with 10 s that took 31 s altogether.
        "socket_timeout": 5,
        # If the host name moved, it must be resolved again soon.
        "socket_connect_timeout": 5,
        # The kernel detects a peer that disappeared without closing the connection.
        "socket_keepalive": True,
        # Check an idle connection before using it.
        "health_check_interval": 5,
        # Retry a timeout on a new connection instead of ending the worker's consumer.
        "retry_on_timeout": True,
        # Look for wake-ups of dead workers every 5 s, and do it at most once at a time.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
    },
    # Start without Redis if necessary, and never stop trying to connect.
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # Acknowledge when done: a worker that is killed leaves its wake-up to another.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # Take one wake-up at a time: a busy worker must not reserve wake-ups that an idle one could process.
    worker_prefetch_multiplier=1,
    # Results are recorded in the deliveries.
    task_ignore_result=True,
    # End a worker that hangs in a dead connection. Its leases expire, and another worker sends its deliveries.
    task_time_limit=60,
    task_soft_time_limit=50,
)


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]  # Celery ships no types
def close_connections(**_signal: Any) -> None:
    """Close the SMTP connections that this worker process kept. Worker processes end without `atexit`."""
    from statuspage.notifications.transports.smtp.kept_pool import KEPT_POOL  # imports models

    KEPT_POOL.close()
