"""Wakes the Celery workers through the broker. Only the dispatcher does that, and a frozen broker never blocks it."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

logger = logging.getLogger(__name__)

DELIVER_TASK = "notifications.deliver"
BEAT_TASK = "notifications.beat"
# A send that takes longer than this counts as failed, although it may still succeed.
PATIENCE = 0.5
# A wake-up that no worker took within these seconds is obsolete: the dispatcher has sent another one or done the work.
EXPIRES = 30


class WorkerWakeup:
    """Sends wake-ups from a daemon thread, each time over a new connection; `notify` returns at once.

    A new connection resolves the broker's name again, so a broker that moved is found without a restart.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._waiting: set[tuple[str, ...]] = set()
        self._changed = threading.Condition()
        self._sending_since: float | None = None
        self._failing = False
        threading.Thread(target=self._run, name="worker-wakeup", daemon=True).start()

    def notify(self, task: str, *arguments: str) -> None:
        """Send the wake-up `task` soon. Equal wake-ups that are still waiting are sent once."""
        with self._changed:
            self._waiting.add((task, *arguments))
            self._changed.notify()

    @property
    def works(self) -> bool:
        """Whether the last wake-up was sent and none is stuck."""
        since = self._sending_since
        return not self._failing and (since is None or time.monotonic() - since < PATIENCE)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                waiting, self._waiting = self._waiting, set()
                self._sending_since = time.monotonic()
            self._send_all(waiting)
            self._sending_since = None

    def _send_all(self, waiting: set[tuple[str, ...]]) -> None:
        try:
            with self._app.connection_for_write() as connection:
                for task, *arguments in waiting:
                    self._app.send_task(task, arguments, connection=connection, retry=False, expires=EXPIRES)
        except Exception as error:  # whatever it is, the dispatcher sends by itself meanwhile
            if not self._failing:
                logger.warning("The broker is unreachable. Sending without workers: %s", error)
            self._failing = True
        else:
            if self._failing:
                logger.warning("The broker is reachable again.")
            self._failing = False
