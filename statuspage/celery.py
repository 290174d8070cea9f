"""The hands: Celery workers that the dispatcher wakes. Redis carries nothing but the wake-up.

Every setting below was measured to survive a Redis that froze while its name moved to another address.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "statuspage.settings")

from celery import Celery
from django.conf import settings

app = Celery("candor", broker=settings.REDIS_URL or None, include=["statuspage.notifications.tasks"])

app.conf.update(
    # A queue of our own, should the Redis be shared with other programs.
    task_default_queue="candor",
    broker_transport_options={
        # A wake-up taken by a worker that died comes back after 2 minutes; the dispatcher rings again long before.
        "visibility_timeout": 120,
        # Without it kombu passes None, and a half-open connection hangs for ever. A worker meets it several times in a
        # row before it gives a frozen server up: with 10 s that took 31 s altogether.
        "socket_timeout": 5,
        # A name that moved must be given up and looked up again soon.
        "socket_connect_timeout": 5,
        # Lets the kernel notice a peer that went away without a word.
        "socket_keepalive": True,
        # An idle connection is tried before it is trusted.
        "health_check_interval": 5,
        # A single timeout is repeated on a new connection instead of ending the worker's consumer.
        "retry_on_timeout": True,
        # Look for wake-ups of dead workers every 5 s, and do it at most once at a time.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
    },
    # Start before Redis is there, and never stop looking for it.
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # Acknowledge when done: a worker that is killed leaves its wake-up to another.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # Take one wake-up at a time: a busy worker must not sit on those that an idle one could answer.
    worker_prefetch_multiplier=1,
    # Nobody reads results; the ledger is the result.
    task_ignore_result=True,
    # A worker stuck in a dead connection is ended; its leases run out and its rows are sent by another.
    task_time_limit=60,
    task_soft_time_limit=50,
)
