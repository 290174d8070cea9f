"""Ringing for the workers. Only the dispatcher does, and never waits for it: a frozen broker costs it nothing."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

logger = logging.getLogger(__name__)

# A ring that takes longer than this is not counted on, though it may still get through.
PATIENCE = 0.5
# A wake-up that nobody took by then is stale: the dispatcher has rung again, or done the work.
EXPIRES = 30


class WorkerWakeup:
    """`ring` returns at once; a daemon thread does the talking, one ring at a time, each on a new connection.

    A new connection looks the broker's name up again, so a broker that moved is found without a restart.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._wanted: set[tuple[str, ...]] = set()
        self._changed = threading.Condition()
        self._ringing_since: float | None = None
        self._failing = False
        threading.Thread(target=self._run, name="doorbell", daemon=True).start()

    def notify(self, task: str, *arguments: str) -> None:
        """Send the wake-up `task` soon. Rings for the same thing that could not be sent yet are one."""
        with self._changed:
            self._wanted.add((task, *arguments))
            self._changed.notify()

    @property
    def works(self) -> bool:
        """Whether the last ring got through, and none is held up."""
        since = self._ringing_since
        return not self._failing and (since is None or time.monotonic() - since < PATIENCE)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted)
                wanted, self._wanted = self._wanted, set()
                self._ringing_since = time.monotonic()
            self._ring_all(wanted)
            self._ringing_since = None

    def _ring_all(self, wanted: set[tuple[str, ...]]) -> None:
        try:
            with self._app.connection_for_write() as connection:
                for task, *arguments in wanted:
                    self._app.send_task(task, arguments, connection=connection, retry=False, expires=EXPIRES)
        except Exception as error:  # whatever it is, the dispatcher sends by itself until it is over
            if not self._failing:
                logger.warning("The broker cannot be reached; sending without workers: %s", error)
            self._failing = True
        else:
            if self._failing:
                logger.warning("The broker is back.")
            self._failing = False
