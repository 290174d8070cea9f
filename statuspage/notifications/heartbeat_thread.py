"""Heartbeats of a process that has no loop of its own, such as the app."""

from __future__ import annotations

import logging
import threading

from django.db import Error as DatabaseTrouble
from django.db import connection

from statuspage.notifications.models import Heartbeat

logger = logging.getLogger(__name__)

HEARTBEAT_EVERY = 10.0
# Seconds to wait for the first heartbeat. Afterwards the process starts with the clock of its machine.
FIRST_WITHIN = 2.0


class HeartbeatThread(threading.Thread):
    """Records a heartbeat every 10 seconds. Each synchronizes the clock of the process with the database's clock."""

    def __init__(self, process: str) -> None:
        super().__init__(name=f"heartbeat-{process}", daemon=True)
        self._process = process
        self._stopped = threading.Event()
        self._tried = threading.Event()

    def start_and_wait(self) -> None:
        """Start, and return when the clock is synchronized, or after 2 seconds if the database does not respond."""
        self.start()
        self._tried.wait(FIRST_WITHIN)

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def run(self) -> None:
        while True:
            try:
                Heartbeat.objects.beat(self._process)
            except DatabaseTrouble as error:
                logger.debug("No heartbeat: %s", error)
            finally:
                connection.close()
            self._tried.set()
            if self._stopped.wait(HEARTBEAT_EVERY):
                return
