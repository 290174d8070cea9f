"""Whether Candor does all that it promises, for whoever watches it. Says ages and names; no addresses, no secrets."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import Error as DatabaseTrouble

from statuspage.notifications.models import ChannelState, Heartbeat

# So many seconds without a heartbeat, and a process counts as gone. Each shows one every 10 s.
STALE_SECONDS = 90


def readiness() -> dict[str, Any]:
    """`ready`, and what speaks for or against it. Ages are seconds by the database's clock; null means never."""
    try:
        checks = {
            "database": {"ok": True},
            "dispatcher": _process("dispatcher"),
            # The dispatcher takes over from workers that are silent, so without them Candor is slower, and ready.
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
    """Those that were ever in trouble. What the other side said is for staff: it can name hosts and people."""
    return {
        state.channel: {"ok": not state.failures, "trouble_since": state.since.isoformat() if state.since else None}
        for state in ChannelState.objects.order_by("channel")
    }
