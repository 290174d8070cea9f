"""What comes next for a maintenance, and whether somebody has to do it."""

from dataclasses import dataclass
from datetime import datetime

from incidents.models import Incident


@dataclass(frozen=True)
class NextStep:
    """`text` says what, `at` when it is planned; `is_late`: it needs somebody, now."""

    text: str
    at: datetime
    is_late: bool = False


def next_step(maintenance: Incident, *, now: datetime) -> NextStep | None:
    """None once it is over."""
    if maintenance.is_resolved:
        return None
    start, end = maintenance.window
    if maintenance.is_upcoming:
        if maintenance.auto_start:
            return NextStep("Starts by itself", start)
        return (
            NextStep("Should have been started", start, is_late=True)
            if start < now
            else NextStep("To be started", start)
        )
    if maintenance.auto_complete:
        return NextStep("Completes by itself", end)
    return (
        NextStep("Should be over: complete or extend it", end, is_late=True)
        if end < now
        else NextStep("To be completed", end)
    )
