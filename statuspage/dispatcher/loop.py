"""The clock: takes maintenances through their times, fans out what happened, wakes the workers, and does their work
itself when they do not come."""

from __future__ import annotations

import logging
import math
import threading
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from incidents.actions.due import run_due
from incidents.models import Draft
from statuspage.accounts import ratelimit
from statuspage.notifications.fan_out import fan_out_round, fan_out_waiting
from statuspage.notifications.models import ChannelState, Delivery, Heartbeat, MailTest
from statuspage.notifications.transports import TRANSPORTS
from statuspage.notifications.worker import BUDGET_SECONDS, deliver_due
from statuspage.notifications.worker_wakeup import WorkerWakeup
from statuspage.subscribers.models import Subscriber

logger = logging.getLogger(__name__)

TICK = 0.5
NOTIFY_EVERY = 1.0
# With workers that answer: what was due for so long is in nobody's hands, so the dispatcher lends its own.
UNCLAIMED = timedelta(seconds=1)
HEARTBEAT_EVERY = 10.0
# Workers answer every heartbeat's ring. After three that nobody answered, they are not waited for.
WORKERS_HEARD_WITHIN = timedelta(seconds=3 * HEARTBEAT_EVERY)
SWEEP_EVERY = 3600.0
LONGEST_BACKOFF = 10.0
# Where many are sent to at once, a run goes on while one of them hangs: what is published meanwhile must not wait.
UNTIL_DONE = math.inf
# The supervisor waits 8 s before it kills; the message in hand gets most of that.
STOP_WITHIN = 6.0


class Throttle:
    """True at most once in so many seconds; the first time at once."""

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
    """Sends in the dispatcher's own process, beside the clock: a slow mail server must not stop it, nor another
    channel, so each has hands of its own."""

    def __init__(self, channel: str, stop: threading.Event) -> None:
        super().__init__(name=f"hands-{channel}", daemon=True)
        self._channel = channel
        self._budget = BUDGET_SECONDS if TRANSPORTS[channel].concurrency == 1 else UNTIL_DONE
        self._stop_event = stop
        self._work = threading.Event()

    def wake(self) -> None:
        self._work.set()

    def finish(self, *, by: float) -> None:
        """The message in hand is finished and marked, the rest given back. `by` the monotonic clock."""
        self._work.set()
        self.join(max(0.0, by - time.monotonic()))

    def run(self) -> None:
        while not self._stop_event.is_set():
            self._work.wait()
            self._work.clear()
            try:
                while not self._stop_event.is_set() and self._deliver():
                    pass
            except Exception:
                logger.exception("Sending was interrupted; what was claimed is tried again when its lease runs out.")
            connection.close()

    def _deliver(self) -> int:
        return deliver_due(self._channel, budget=self._budget, stop=self._stop_event)


def deliver_everything(stop: threading.Event | None = None) -> int:
    """One run over each channel; how many deliveries were settled."""
    return sum(deliver_due(channel, stop=stop) for channel in TRANSPORTS)


def drain() -> int:
    """Fan out and send until nothing is due; how many deliveries were settled. For tests and for the impatient."""
    run_due(timezone.now())
    settled = 0
    while fan_out_waiting() + (done := deliver_everything()):
        settled += done
    return settled


class Dispatcher:
    def __init__(self) -> None:
        self.stop = threading.Event()
        self.hands = {channel: LocalSender(channel, self.stop) for channel in TRANSPORTS}
        # By name: the site's wiring is above us. Without a broker, Celery is not even loaded.
        self.doorbell = WorkerWakeup(import_string("statuspage.celery.app")) if settings.REDIS_URL else None
        # By name too: threads of rooms above us that keep time with the clock and end with it.
        self._beside: list[Any] = [import_string(path)(self.stop) for path in settings.BESIDE_THE_CLOCK]
        self._has_workers = False
        self._beat = Throttle(HEARTBEAT_EVERY)
        self._sweep = Throttle(SWEEP_EVERY)
        self._rings = {channel: Throttle(NOTIFY_EVERY) for channel in TRANSPORTS}

    def run(self) -> None:
        """Until `stop` is set. Survives the database: backs off, and connects again."""
        for one in (*self.hands.values(), *self._beside):
            one.start()
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
        by = time.monotonic() + STOP_WITHIN
        for hands in self.hands.values():
            hands.finish(by=by)
        for one in self._beside:
            one.finish()

    def tick(self) -> bool:
        """Whether there is more to fan out at once."""
        if self._beat.is_due():
            self._show_life()
        run_due(timezone.now())
        portions = fan_out_round()
        for channel in TRANSPORTS:
            self._dispatch(channel)
        if self._sweep.is_due():
            sweep()
        return bool(portions)

    def _show_life(self) -> None:
        Heartbeat.objects.beat("dispatcher")
        if self.doorbell:
            self._has_workers = Heartbeat.objects.is_alive("worker", within=WORKERS_HEARD_WITHIN)
            self.doorbell.notify("subscribers.beat")

    def _dispatch(self, channel: str) -> None:
        """Have what is due on `channel` sent, by whoever can."""
        if not Delivery.objects.claimable(channel).exists() or ChannelState.objects.is_paused(channel):
            return
        if self.doorbell is None:
            self.hands[channel].wake()
            return
        if self._rings[channel].is_due():
            self.doorbell.notify("subscribers.deliver", channel)
        counted_on = self._has_workers and self.doorbell.works
        if not counted_on or Delivery.objects.claimable(channel, since=UNCLAIMED).exists():
            self.hands[channel].wake()


def sweep() -> None:
    """Forget what is long over."""
    ratelimit.sweep()
    Heartbeat.objects.sweep()
    Subscriber.objects.sweep()
    MailTest.objects.sweep()
    Draft.objects.sweep()
