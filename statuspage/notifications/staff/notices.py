"""Queues the notices to staff that are due. The dispatcher calls it regularly; running it twice is harmless."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import Error as DatabaseTrouble

from statuspage.notifications.staff import overdue_action_items, overdue_updates

logger = logging.getLogger(__name__)

CHECKS: list[Callable[[datetime], None]] = [overdue_updates.queue_due, overdue_action_items.queue_due]


def queue_staff_notices(now: datetime) -> None:
    """A check that fails does not prevent the others."""
    for queue_due in CHECKS:
        try:
            queue_due(now)
        except DatabaseTrouble:
            raise
        except Exception:
            logger.exception("A notice to staff could not be queued. It is retried.")
