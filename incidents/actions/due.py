"""What maintenances do by the clock. Called by the dispatcher at every tick."""

from datetime import datetime


def run_due(now: datetime) -> int:
    """Start, remind, complete and repeat what is due at `now`, in the order of time; how many steps were taken.

    Four cheap queries when nothing is. Any number may run at once: each step is taken once.
    """
    raise NotImplementedError
