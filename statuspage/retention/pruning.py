"""Removes expired rows in small transactions. If it is stopped or killed, the next run continues."""

import logging
import threading
import time

from django.db import Error as DatabaseTrouble
from django.db import connection

from statuspage.retention.models import Pruning
from statuspage.retention.rules import Rule, rules, size

logger = logging.getLogger(__name__)

# Rows per transaction. One takes a fraction of a second, so others can write in between, also on SQLite.
BATCH = 1_000
PAUSE = 0.1
BUDGET_SECONDS = 20.0
EVERY = 3600.0
# If the budget ended a run, the next one starts earlier.
CONTINUE_AFTER = 60.0
FIRST_AFTER = 30.0


def prune(stop: threading.Event | None = None, *, budget: float | None = None) -> bool:
    """Apply all rules. Return False if `stop` or the budget (seconds) ended the run too early."""
    stop = stop or threading.Event()
    deadline = None if budget is None else time.monotonic() + budget
    results = [_apply(rule, stop, deadline) for rule in rules()]
    return all(results)


def _apply(rule: Rule, stop: threading.Event, deadline: float | None) -> bool:
    expired, removed = rule.expired(), 0
    is_complete = expired == []
    while not is_complete and not stop.is_set() and (deadline is None or time.monotonic() < deadline):
        number = rule.remove(expired, BATCH)
        removed += number
        is_complete = number < BATCH
        if not is_complete:
            stop.wait(PAUSE)
    Pruning.objects.record(rule.name, removed=removed, remaining=size(rule.rows()), is_complete=is_complete)
    return is_complete


class Pruner(threading.Thread):
    """Prunes once an hour beside the dispatcher, until `stop` is set."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(name="pruner", daemon=True)
        self._stop_event = stop

    def finish(self) -> None:
        self.join(timeout=5)

    def run(self) -> None:
        pause = FIRST_AFTER
        while not self._stop_event.wait(pause):
            try:
                pause = EVERY if prune(self._stop_event, budget=BUDGET_SECONDS) else CONTINUE_AFTER
            except (DatabaseTrouble, OSError) as error:
                logger.error("Expired data could not be removed; retried in a minute: %s", error)
                pause = CONTINUE_AFTER
            connection.close()
