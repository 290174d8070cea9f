"""The readiness report for monitoring. Contains ages and names, but no addresses or secrets."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import Error as DatabaseTrouble

from statuspage.notifications.models import ChannelState, Heartbeat

# After this many seconds without a heartbeat a process counts as stopped. Each records one every 10 s.
STALE_SECONDS = 90


def readiness() -> dict[str, Any]:
    """Return `ready` and the checks behind it. Ages are seconds by the database clock; None means never."""
    try:
        checks = {
            "database": {"ok": True},
            "dispatcher": _process("dispatcher"),
            # The dispatcher sends if no worker does, so Candor is slower without workers, but ready.
            "worker": _process("worker") | {"needed": bool(settings.REDIS_URL)},
            "channels": _channels(),
        }
    except DatabaseTrouble:
        return {"ready": False, "checks": {"database": {"ok": False}}}
    ready = checks["dispatcher"]["ok"] and all(channel["ok"] for channel in checks["channels"].values())
    return {"ready": ready, "checks": checks}


def _process(name: str) -> dict[str, Any]:
    age = Heartbeat.objects.age_of(name)
    return {"ok": age is not None and age <= STALE_SECONDS, "seconds_since_heartbeat": age}


def _channels() -> dict[str, dict[str, Any]]:
    """Return the channels that ever failed. Error messages are omitted because they can contain hosts and addresses."""
    return {
        state.channel: {"ok": not state.failures, "trouble_since": state.since.isoformat() if state.since else None}
        for state in ChannelState.objects.order_by("channel")
    }
