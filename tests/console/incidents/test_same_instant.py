"""One maintenance, typed in the zone of its page: page, calendar and mail mean the same instant."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
import time_machine
from pytest_django import Settings

from incidents.models import Incident
from statuspage.dispatcher.loop import drain
from tests.console.staff import fill_in, signed_in
from tests.factories import make_component, make_page, make_subscriber
from tests.notifications.mailbox import mails_to, part, use_server
from tests.public.parsed_page import get, read
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "/console/p/acme/maintenances/new"
START = datetime(2026, 10, 24, 0, 0, tzinfo=UTC)

ZONES = [
    ("Europe/Berlin", "2026-10-24 02:00", "Oct 24, 2026, 02:00 – 04:00 CEST"),
    ("America/St_Johns", "2026-10-23 21:30", "Oct 23, 2026, 21:30 – 23:30 NDT"),
    ("Asia/Kathmandu", "2026-10-24 05:45", "Oct 24, 2026, 05:45 – 07:45 +0545"),
    ("Pacific/Auckland", "2026-10-24 13:00", "Oct 24, 2026, 13:00 – 15:00 NZDT"),
]


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(START - timedelta(days=3), tick=False) as traveller:
        yield traveller


@pytest.mark.parametrize(("zone", "typed", "local"), ZONES)
def test_page_calendar_and_mail_say_the_same_instant(
    zone: str, typed: str, local: str, smtp_sink: SmtpSink, settings: Settings
) -> None:
    use_server(settings, smtp_sink.controller.port)
    page = make_page(time_zone=zone)
    make_subscriber(page, "ada@example.com")
    rest = make_component(page)
    editor = signed_in("editor")
    texts: dict[str, Any] = {"title": "Database upgrade", "body": "We upgrade.", "components": [rest.public_id]}
    editor.post(NEW, fill_in(editor, NEW, scheduled_for=typed, scheduled_until="2 h", **texts))
    maintenance = Incident.objects.get()
    assert maintenance.window == (START, START + timedelta(hours=2))

    utc = "Oct 24, 2026, 00:00 – 02:00 UTC"
    machine = ["2026-10-24T00:00:00Z", "2026-10-24T02:00:00Z"]
    planned = read("/").one("section", class_="planned")
    assert [time.attributes["datetime"] for time in planned.all("time")] == machine
    facts = read(f"/incidents/{maintenance.public_id}").one("dl")
    assert f"Scheduled for {local} {utc}" in facts.text
    assert [time.attributes["datetime"] for time in facts.all("time")] == machine

    for path in ("/maintenances.ics", f"/incidents/{maintenance.public_id}.ics"):
        calendar: Any = icalendar.Calendar.from_ical(get(path).content)
        (event,) = calendar.walk("VEVENT")
        assert (event["DTSTART"].dt, event["DTEND"].dt) == maintenance.window
        assert local in event["DESCRIPTION"]

    drain()
    (mail,) = mails_to(smtp_sink, "ada@example.com")
    for kind in ("plain", "html"):
        assert f"{local} ({utc})" in " ".join(part(mail, kind).split())
