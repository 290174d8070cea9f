"""What is mailed to staff: a thread beside the dispatcher's clock that makes its rounds every half minute."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from django.db import connection
from django.utils import timezone

from statuspage.notifications.staff.overdue_action_items import remind_owners
from statuspage.notifications.staff.overdue_updates import remind_staff

logger = logging.getLogger(__name__)

CHECK_EVERY = 30.0

# Each notes what is due at that time, and sends what was noted. Running one twice, or at two places, is harmless.
NoticeCheck = Callable[[datetime], None]
ROUNDS: list[NoticeCheck] = [remind_staff, remind_owners]


class StaffNoticeLoop(threading.Thread):
    """The dispatcher starts and ends it. A round that fails holds up no other, and is made again."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(name="staff-mail", daemon=True)
        self._stop_event = stop

    def finish(self) -> None:
        """What was claimed and not sent is tried again when its lease runs out."""
        self.join(1.0)

    def run(self) -> None:
        while not self._stop_event.is_set():
            run_once()
            # Idle for so long, it needs no connection; a broken one would be kept else.
            connection.close()
            self._stop_event.wait(CHECK_EVERY)


def run_once() -> None:
    for make in ROUNDS:
        try:
            make(timezone.now())
        except Exception:
            logger.exception("A mail to staff could not be made or sent; it is tried again.")
            connection.close()
