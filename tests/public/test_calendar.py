"""The calendar of maintenances (RFC 5545), read by a calendar's parser and line by line."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
import time_machine
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions.components import component_lifecycle as component_actions
from incidents.actions.incidents import incident_lifecycle
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.maintenances.maintenance_lifecycle import MaintenanceOptions
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident, Page
from tests.factories import ALICE, make_component, make_group, make_incident, make_maintenance, make_page, post
from tests.public.parsed_page import get

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 21, 10, 0, tzinfo=UTC)
START = datetime(2026, 10, 24, 0, 0, tzinfo=UTC)
FEED = "/maintenances.ics"


@pytest.fixture
def page(settings: LazySettings) -> Page:
    settings.SITE_URL = "https://status.acme.example"
    return make_page(time_zone="Europe/Berlin")


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def calendar(path: str = FEED) -> Any:
    answer = get(path)
    assert answer.status_code == 200
    return icalendar.Calendar.from_ical(answer.content)


def events(path: str = FEED) -> list[Any]:
    return list(calendar(path).walk("VEVENT"))


def the_event(path: str = FEED) -> Any:
    (event,) = events(path)
    assert event.errors == []
    return event


def lines(path: str = FEED) -> list[bytes]:
    return get(path).content.split(b"\r\n")


def test_an_event_says_what_and_when_and_where_to_read_more(page: Page) -> None:
    rest = make_component(page, "REST API", group=make_group(page))
    maintenance = make_maintenance(page, begins=START, title="Database upgrade", components=[rest])
    event = the_event()
    url = f"https://status.acme.example/incidents/{maintenance.public_id}"
    assert str(event["SUMMARY"]) == "Database upgrade"
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (START, START + timedelta(hours=2))
    assert (str(event["STATUS"]), str(event["TRANSP"]), str(event["URL"])) == ("CONFIRMED", "TRANSPARENT", url)
    assert str(event["DESCRIPTION"]).split("\n\n") == [
        "Scheduled: We upgrade.",
        "Components: Public APIs - REST API",
        "Oct 24, 2026, 02:00 – 04:00 CEST",
        url,
    ]


def test_the_calendar_names_itself_and_says_how_often_to_ask(page: Page) -> None:
    assert get(FEED)["Content-Type"] == "text/calendar; charset=utf-8"
    text = lines()
    assert text[0] == b"BEGIN:VCALENDAR"
    for line in (
        b"VERSION:2.0",
        b"PRODID:-//Candor//Status page//EN",
        b"NAME:Acme Status - Maintenance",
        b"X-WR-CALNAME:Acme Status - Maintenance",
        b"REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        b"X-PUBLISHED-TTL:PT1H",
    ):
        assert line in text


def test_lines_end_as_they_should_are_folded_at_75_octets_and_escape_what_has_a_meaning(page: Page) -> None:
    title = "Upgrade; part 1, of many \\ ✓ " + "ä" * 100
    make_maintenance(page, begins=START, title=title, body="First, this;\n\nthen that.\n\n- one\n- two")
    content = get(FEED).content
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert content.replace(b"\r\n", b"").count(b"\n") == content.replace(b"\r\n", b"").count(b"\r") == 0
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    unfolded = content.replace(b"\r\n ", b"").decode()
    assert f"SUMMARY:Upgrade\\; part 1\\, of many \\\\ ✓ {'ä' * 100}\r\n" in unfolded
    assert "DESCRIPTION:Scheduled: First\\, this\\;\\nthen that.\\none\\ntwo\\n\\n" in unfolded
    assert str(the_event()["SUMMARY"]) == title


def test_times_are_written_as_utc_instants(page: Page) -> None:
    make_maintenance(page, begins=START)
    assert b"DTSTART:20261024T000000Z" in lines()
    assert b"DTEND:20261024T020000Z" in lines()


def test_a_moved_one_keeps_its_uid_and_counts_up(page: Page, clock: Any) -> None:
    maintenance = make_maintenance(page, begins=START)
    before = the_event()
    clock.move_to(NOW + timedelta(hours=1))
    later = START + timedelta(days=1)
    maintenance_lifecycle.reschedule(
        maintenance, scheduled_for=later, scheduled_until=later + timedelta(hours=3), actor=ALICE
    )
    after = the_event()
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["LAST-MODIFIED"].dt == after["DTSTAMP"].dt > before["DTSTAMP"].dt
    assert (after["DTSTART"].dt, after["DTEND"].dt) == (later, later + timedelta(hours=3))


def test_a_page_that_moves_to_another_host_keeps_the_uids(page: Page, settings: LazySettings) -> None:
    make_maintenance(page, begins=START)
    before = the_event()["UID"]
    settings.SITE_URL = "https://status.example.net"
    assert the_event()["UID"] == before
    assert "@" in before


def test_a_cancelled_one_is_marked_and_not_removed(page: Page) -> None:
    maintenance = make_maintenance(page, begins=START, title="Database upgrade")
    before = the_event()
    maintenance_lifecycle.cancel(maintenance, UpdateInput(body="The parts did not arrive."), actor=ALICE)
    after = the_event()
    assert (str(after["STATUS"]), after["UID"]) == ("CANCELLED", before["UID"])
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert str(after["SUMMARY"]) == "Canceled: Database upgrade"
    assert "The parts did not arrive." in after["DESCRIPTION"]


def test_an_update_changes_the_description(page: Page) -> None:
    maintenance = make_maintenance(page, begins=START)
    before = the_event()
    post(maintenance, status="scheduled", body="We bring **two** more disks.")
    after = the_event()
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert str(after["DESCRIPTION"]).startswith("Update: We bring two more disks.")


def test_a_change_of_what_calendars_do_not_show_asks_nobody_to_look_again(page: Page) -> None:
    maintenance = make_maintenance(page, begins=START)
    before = the_event()["SEQUENCE"]
    maintenance_lifecycle.change_options(maintenance, options=MaintenanceOptions(auto_start=False), actor=ALICE)
    assert the_event()["SEQUENCE"] == before


def test_the_same_state_gives_the_same_bytes_all_day(page: Page, clock: Any) -> None:
    make_maintenance(page, begins=START)
    first = get(FEED)
    clock.move_to(NOW + timedelta(hours=6))
    assert get(FEED).content == first.content
    assert get(FEED, **{"if-none-match": first["ETag"]}).status_code == 304


def test_it_reaches_back_ninety_days(page: Page, clock: Any) -> None:
    make_maintenance(page, begins=START, title="Old")
    clock.move_to(START + timedelta(days=89))
    assert [str(event["SUMMARY"]) for event in events()] == ["Old"]
    clock.move_to(START + timedelta(days=92))
    assert events() == []
    assert calendar()["X-WR-CALNAME"]


def test_incidents_are_not_in_it(page: Page) -> None:
    incident = make_incident(page)
    assert events() == []
    assert get(f"/incidents/{incident.public_id}.ics").status_code == 404


def test_a_component_can_be_asked_for_alone(page: Page) -> None:
    rest, website = make_component(page, "REST API"), make_component(page, "Website")
    make_maintenance(page, begins=START, title="Both", components=[rest, website])
    make_maintenance(page, begins=START, title="Website alone", components=[website])
    make_maintenance(page, begins=START, title="Neither")
    place = f"{FEED}?component={rest.public_id}"
    assert [str(event["SUMMARY"]) for event in events(place)] == ["Both"]
    assert str(calendar(place)["X-WR-CALNAME"]) == "Acme Status - Maintenance - REST API"
    assert len(events(f"{FEED}?component={website.public_id}")) == 2
    assert len(events()) == 3


@pytest.mark.parametrize("code", ["", "nosuchcode12", "%00", "x" * 300])
def test_a_component_that_is_not_here_has_no_calendar(page: Page, code: str) -> None:
    assert get(f"{FEED}?component={code}").status_code == 404


def test_an_archived_component_or_one_of_another_page_has_no_calendar(page: Page) -> None:
    gone = make_component(page, "Fax")
    component_actions.set_archived(gone, archived=True, actor=ALICE)
    other = make_component(make_page(name="Other", domain="other.example"), "Theirs")
    for component in (gone, other):
        assert get(f"{FEED}?component={component.public_id}").status_code == 404


def test_one_maintenance_is_a_file_to_add(page: Page) -> None:
    maintenance = make_maintenance(page, begins=START, title="Database upgrade")
    make_maintenance(page, begins=START, title="Another")
    place = f"/incidents/{maintenance.public_id}.ics"
    assert get(place)["Content-Disposition"] == f'attachment; filename="maintenance-{maintenance.public_id}.ics"'
    event = the_event(place)
    assert str(event["SUMMARY"]) == "Database upgrade"
    assert event["UID"] in {other["UID"] for other in events()}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Auckland"])
def test_the_page_of_any_zone_gives_the_same_instant(page: Page, zone: str) -> None:
    Page.objects.filter(pk=page.pk).update(time_zone=zone)
    make_maintenance(Page.objects.get(), begins=START)
    assert the_event()["DTSTART"].dt == START


def test_texts_that_no_calendar_can_carry_do_not_break_it(page: Page) -> None:
    make_maintenance(page, begins=START, body="A line.\x07\x0b Another.\r\nEND:VEVENT")
    Incident.objects.update(title="Bell \x07 and\r\nEND:VCALENDAR")
    event = the_event()
    assert "Another." in event["DESCRIPTION"]
    assert str(event["SUMMARY"]).startswith("Bell")


def test_it_costs_the_same_for_many(page: Page) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            get(FEED)
        return len(captured)

    parts = [make_component(page, f"Part {number}") for number in range(3)]
    make_maintenance(page, begins=START, components=parts)
    before = queries()
    for number in range(10):
        incident_lifecycle.edit_update(
            make_maintenance(page, begins=START + timedelta(days=number), components=parts).updates.get(),
            body="We upgrade it.",
            actor=ALICE,
        )
    assert queries() == before <= 5
