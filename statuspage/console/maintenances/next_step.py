"""The next step of a maintenance, and whether it is overdue."""

from dataclasses import dataclass
from datetime import datetime

from incidents.models import Incident


@dataclass(frozen=True)
class NextStep:
    """`at` is the planned time. `is_late` means that an editor must act now."""

    text: str
    at: datetime
    is_late: bool = False


def next_step(maintenance: Incident, *, now: datetime) -> NextStep | None:
    """Return None for a maintenance that is completed or canceled."""
    if maintenance.is_resolved:
        return None
    start, end = maintenance.window
    if maintenance.is_upcoming:
        if maintenance.auto_start:
            return NextStep("Starts automatically", start)
        return NextStep("Start is overdue", start, is_late=True) if start < now else NextStep("Start manually", start)
    if maintenance.auto_complete:
        return NextStep("Completes automatically", end)
    return (
        NextStep("End is overdue: complete or extend the maintenance", end, is_late=True)
        if end < now
        else NextStep("Complete manually", end)
    )
