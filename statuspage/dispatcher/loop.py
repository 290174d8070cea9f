"""The dispatcher: starts and completes maintenances on time, fans out events, wakes the Celery workers, and sends
deliveries itself when no worker is available."""

from __future__ import annotations

import logging
import math
import threading
import time
from datetime import timedelta
from typing import Protocol

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.utils import timezone

from incidents.actions.scheduled_steps import run_due
from statuspage.notifications.fan_out import fan_out_round, fan_out_waiting
from statuspage.notifications.models import ChannelState, Delivery, Heartbeat
from statuspage.notifications.staff.notices import queue_staff_notices
from statuspage.notifications.transports import TRANSPORTS
from statuspage.notifications.worker import BUDGET_SECONDS, deliver_due
from statuspage.notifications.worker_wakeup import BEAT_TASK, DELIVER_TASK, WorkerWakeup
from statuspage.public import published_paths
from statuspage.publishing.publisher import Publisher
from statuspage.publishing.replication import Replication
from statuspage.retention.pruning import Pruner

logger = logging.getLogger(__name__)

TICK = 0.5
NOTIFY_EVERY = 1.0
# A delivery that is due for this long although workers are alive: no worker has claimed it, so the dispatcher sends it.
UNCLAIMED = timedelta(seconds=1)
HEARTBEAT_EVERY = 10.0
STAFF_NOTICES_EVERY = 30.0
# Each heartbeat wakes the workers, which then record their own. After three without one the workers count as gone.
WORKER_ALIVE_WITHIN = timedelta(seconds=3 * HEARTBEAT_EVERY)
LONGEST_BACKOFF = 10.0
# For concurrent channels: a run continues while one endpoint hangs, so that new deliveries need not wait for it.
UNTIL_DONE = math.inf
# The supervisor kills the process after 8 s. Most of that time is for the messages that are being sent.
STOP_WITHIN = 6.0


class Service(Protocol):
    """A thread (or group of threads) that runs beside the dispatcher until the stop event is set."""

    def start(self) -> None: ...

    def finish(self) -> None: ...


class Throttle:
    """`is_due()` is True at most once in `seconds`, and on the first call."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._next = 0.0

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self.seconds
        return True


class LocalSender(threading.Thread):
    """Sends the deliveries of one channel in the dispatcher's own process.

    Each channel has its own thread, so a slow server delays neither the dispatcher nor the other channels.
    """

    def __init__(self, channel: str, stop: threading.Event) -> None:
        super().__init__(name=f"sender-{channel}", daemon=True)
        self._channel = channel
        self._budget = BUDGET_SECONDS if TRANSPORTS[channel].concurrency == 1 else UNTIL_DONE
        self._stop_event = stop
        self._wakeup = threading.Event()

    def wake(self) -> None:
        self._wakeup.set()

    def finish(self, *, deadline: float) -> None:
        """Wait until the current messages are sent and recorded and the other claims released.

        `deadline` is a value of `time.monotonic()`.
        """
        self._wakeup.set()
        self.join(max(0.0, deadline - time.monotonic()))

    def run(self) -> None:
        while not self._stop_event.is_set():
            self._wakeup.wait()
            self._wakeup.clear()
            try:
                while not self._stop_event.is_set() and self._deliver():
                    pass
            except Exception:
                logger.exception("Sending was interrupted. Claimed deliveries are retried when their lease expires.")
            connection.close()

    def _deliver(self) -> int:
        return deliver_due(self._channel, budget=self._budget, stop=self._stop_event)


def deliver_everything(stop: threading.Event | None = None) -> int:
    """Send what is due on each channel once. Return the number of settled deliveries."""
    return sum(deliver_due(channel, stop=stop) for channel in TRANSPORTS)


def drain() -> int:
    """Fan out and send until nothing is due. Return the number of settled deliveries."""
    run_due(timezone.now())
    settled = 0
    while fan_out_waiting() + (done := deliver_everything()):
        settled += done
    return settled


class Dispatcher:
    def __init__(self) -> None:
        self.stop = threading.Event()
        self.senders = {channel: LocalSender(channel, self.stop) for channel in TRANSPORTS}
        self.wakeup = _worker_wakeup() if settings.REDIS_URL else None
        self.services: list[Service] = [
            Publisher(self.stop, published_paths),
            Replication(self.stop),
            Pruner(self.stop),
        ]
        self._has_workers = False
        self._heartbeat = Throttle(HEARTBEAT_EVERY)
        self._staff_notices = Throttle(STAFF_NOTICES_EVERY)
        self._wakeups = {channel: Throttle(NOTIFY_EVERY) for channel in TRANSPORTS}

    def run(self) -> None:
        """Run until `stop` is set. When the database is unavailable, back off and reconnect."""
        for sender in self.senders.values():
            sender.start()
        for service in self.services:
            service.start()
        failures = 0
        while not self.stop.is_set():
            try:
                pause = 0 if self.tick() else TICK
                failures = 0
            except DatabaseTrouble as error:
                failures += 1
                logger.error("The database cannot be used (%d in a row): %s", failures, error)
                connection.close()
                pause = min(TICK * 2**failures, LONGEST_BACKOFF)
            self.stop.wait(pause)
        deadline = time.monotonic() + STOP_WITHIN
        for sender in self.senders.values():
            sender.finish(deadline=deadline)
        for service in self.services:
            service.finish()

    def tick(self) -> bool:
        """Process due work once. Return whether there is more to fan out immediately."""
        if self._heartbeat.is_due():
            self._record_heartbeat()
        run_due(timezone.now())
        event_ids = fan_out_round()
        for channel in TRANSPORTS:
            self._dispatch(channel)
        if self._staff_notices.is_due():
            queue_staff_notices(timezone.now())
        return bool(event_ids)

    def _record_heartbeat(self) -> None:
        Heartbeat.objects.beat("dispatcher")
        if self.wakeup:
            self._has_workers = Heartbeat.objects.is_alive("worker", within=WORKER_ALIVE_WITHIN)
            self.wakeup.notify(BEAT_TASK)

    def _dispatch(self, channel: str) -> None:
        """Have the due deliveries of `channel` sent: by a worker if one is available, else by this process."""
        if not Delivery.objects.claimable(channel).exists() or ChannelState.objects.is_paused(channel):
            return
        if self.wakeup is None:
            self.senders[channel].wake()
            return
        if self._wakeups[channel].is_due():
            self.wakeup.notify(DELIVER_TASK, channel)
        has_workers = self._has_workers and self.wakeup.works
        if not has_workers or Delivery.objects.claimable(channel, since=UNCLAIMED).exists():
            self.senders[channel].wake()


def _worker_wakeup() -> WorkerWakeup:
    """Import Celery only when there is a broker."""
    from statuspage.celery import app

    return WorkerWakeup(app)
