"""Maintenances and the dispatcher as a process: on time to the second, and after it stood still."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faults.fleet import Crew
from tests.live import Candor
from tests.notifications.mailbox import parsed
from tests.servers import SmtpSink, wait_until

SCHEDULE = """
from datetime import datetime
from incidents.actions.components.component_lifecycle import create_component
from incidents.actions.maintenances.maintenance_lifecycle import schedule
from incidents.actor import SYSTEM
from incidents.models import Page
page = Page.objects.get()
api = create_component(page, name="API", actor=SYSTEM)
schedule(page, title="Upgrade", body="We upgrade.", actor=SYSTEM, components=[api], notify=False,
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
def crew(candor: Candor, smtp_sink: SmtpSink) -> Crew:
    crew = Crew(candor, smtp_sink)
    crew.prepare(readers=1)
    return crew


def schedule(crew: Crew, start: datetime, end: datetime) -> None:
    crew.shell(SCHEDULE.replace("START", start.isoformat()).replace("END", end.isoformat()))


def timeline(crew: Crew) -> dict[str, Any]:
    result: dict[str, Any] = crew.run_json(TIMELINE)
    return result


def lateness(update: list[str]) -> timedelta:
    """From when it says that it happened to when it was written."""
    _, shown, written = update
    return datetime.fromisoformat(written) - datetime.fromisoformat(shown)


def test_start_and_end_are_taken_within_five_seconds(crew: Crew, smtp_sink: SmtpSink) -> None:
    crew.candor.start_dispatcher()
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8)
    schedule(crew, start, start + timedelta(seconds=4))
    wait_until(crew.got(2), "both mails arrive", seconds=40)
    result = timeline(crew)
    _, begun, ended = result["updates"]
    assert [begun[:2], ended[:2]] == [
        ["in_progress", start.isoformat()],
        ["completed", (start + timedelta(seconds=4)).isoformat()],
    ]
    assert all(timedelta(0) <= lateness(update) < timedelta(seconds=5) for update in (begun, ended))
    assert result["component"] == "operational"
    assert [parsed(email.raw)["Subject"] for email in smtp_sink.emails] == [
        "[Acme] In progress: Upgrade",
        "[Acme] Completed: Upgrade",
    ]


def test_two_dispatchers_catch_up_once_after_downtime(crew: Crew, smtp_sink: SmtpSink) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    schedule(crew, start, start + timedelta(seconds=1))
    wait_until(lambda: datetime.now(UTC) > start + timedelta(seconds=2), "start and end have passed")
    for name in ("first", "second"):
        crew.candor.start(name, "manage.py", "dispatch")
    wait_until(crew.got(2), "both mails arrive", seconds=40)
    assert [update[0] for update in timeline(crew)["updates"]] == ["scheduled", "in_progress", "completed"]
    assert len(smtp_sink.emails) == 2
