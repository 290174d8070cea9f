"""Maintenances and the dispatcher as a process: on time to the second, and after it stood still."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faults.fleet import Fleet
from tests.live import Candor
from tests.servers import SmtpSink, wait_until
from tests.subscribers.postbox import parsed

SCHEDULE = """
from datetime import datetime
from incidents.actions import components, maintenances
from incidents.actor import SYSTEM
from incidents.models import Page
page = Page.objects.get()
api = components.create_component(page, name="API", actor=SYSTEM)
maintenances.schedule(page, title="Upgrade", body="We upgrade.", actor=SYSTEM, components=[api], notify=False,
    scheduled_for=datetime.fromisoformat("START"), scheduled_until=datetime.fromisoformat("END"))
"""
TIMELINE = """
import json
from incidents.models import Component, Incident
maintenance = Incident.objects.get()
updates = [[u.status, u.display_at.isoformat(), u.created_at.isoformat()] for u in maintenance.updates.order_by("pk")]
print(json.dumps({"updates": updates, "component": Component.objects.get().status}))
"""


@pytest.fixture
def fleet(candor: Candor, smtp_sink: SmtpSink) -> Fleet:
    fleet = Fleet(candor, smtp_sink)
    fleet.prepare(readers=1)
    return fleet


def schedule(fleet: Fleet, start: datetime, end: datetime) -> None:
    fleet.shell(SCHEDULE.replace("START", start.isoformat()).replace("END", end.isoformat()))


def timeline(fleet: Fleet) -> dict[str, Any]:
    found: dict[str, Any] = fleet.told(TIMELINE)
    return found


def lateness(update: list[str]) -> timedelta:
    """From when it says that it happened to when it was written."""
    _, shown, written = update
    return datetime.fromisoformat(written) - datetime.fromisoformat(shown)


def test_start_and_end_are_taken_within_five_seconds(fleet: Fleet) -> None:
    fleet.candor.start_dispatcher()
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8)
    schedule(fleet, start, start + timedelta(seconds=4))
    wait_until(fleet.got(2), "both mails arrive", seconds=40)
    found = timeline(fleet)
    _, begun, ended = found["updates"]
    assert [begun[:2], ended[:2]] == [
        ["in_progress", start.isoformat()],
        ["completed", (start + timedelta(seconds=4)).isoformat()],
    ]
    assert all(timedelta(0) <= lateness(update) < timedelta(seconds=5) for update in (begun, ended))
    assert found["component"] == "operational"
    assert [parsed(letter.raw)["Subject"] for letter in fleet.sink.letters] == [
        "[Acme] In progress: Upgrade",
        "[Acme] Completed: Upgrade",
    ]


def test_what_it_slept_through_is_caught_up_with_once_by_two_of_them(fleet: Fleet) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    schedule(fleet, start, start + timedelta(seconds=1))
    wait_until(lambda: datetime.now(UTC) > start + timedelta(seconds=2), "start and end have passed")
    for name in ("first", "second"):
        fleet.candor.start(name, "manage.py", "dispatch")
    wait_until(fleet.got(2), "both mails arrive", seconds=40)
    assert [update[0] for update in timeline(fleet)["updates"]] == ["scheduled", "in_progress", "completed"]
    assert len(fleet.sink.letters) == 2
