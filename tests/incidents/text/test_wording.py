from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from incidents.models import Component, ComponentGroup
from incidents.text import wording


def test_the_affected_sentence_names_groups_with_members_then_loose_ones() -> None:
    apis, web = ComponentGroup(name="Public APIs"), ComponentGroup(name="Web")
    components = [
        Component(name="Docs"),
        Component(name="REST API", group=apis),
        Component(name="Feeds", group=apis),
        Component(name="App", group=web),
    ]
    expected = "This incident affected: Public APIs (REST API, Feeds), Web (App), Docs."
    assert wording.affected_sentence(components) == expected
    assert wording.affected_sentence([]) == ""


def test_a_moment_is_written_in_the_zone_and_marked_up_in_utc() -> None:
    moment = datetime(2022, 9, 22, 19, 35, tzinfo=UTC)
    assert wording.moment_text(moment, UTC) == "Sep 22, 2022 - 19:35 UTC"
    assert wording.moment_text(moment, ZoneInfo("Europe/Berlin")) == "Sep 22, 2022 - 21:35 CEST"
    assert wording.machine_time(moment.astimezone(ZoneInfo("Asia/Tokyo"))) == "2022-09-22T19:35:00Z"


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (timedelta(seconds=5), "1 minute"),
        (timedelta(minutes=48), "48 minutes"),
        (timedelta(hours=1, minutes=5), "1 hour 5 minutes"),
        (timedelta(days=2, hours=3, minutes=59), "2 days 3 hours"),
        (timedelta(days=1), "1 day"),
    ],
)
def test_durations_are_two_units_long(duration: timedelta, expected: str) -> None:
    assert wording.duration_text(duration) == expected


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("begins", "hours", "zone", "text"),
    [
        (datetime(2026, 10, 24, 0, tzinfo=UTC), 2, BERLIN, "Oct 24, 2026, 02:00 – 04:00 CEST"),
        (datetime(2026, 10, 23, 21, tzinfo=UTC), 2, BERLIN, "Oct 23, 2026, 23:00 – Oct 24, 2026, 01:00 CEST"),
        (datetime(2026, 10, 25, 0, tzinfo=UTC), 2, BERLIN, "Oct 25, 2026, 02:00 CEST – 03:00 CET"),
        (datetime(2026, 10, 24, 0, tzinfo=UTC), 2, UTC, "Oct 24, 2026, 00:00 – 02:00 UTC"),
    ],
)
def test_a_window_names_day_and_zone_once_unless_they_change(
    begins: datetime, hours: int, zone: tzinfo, text: str
) -> None:
    assert wording.window_text(begins, begins + timedelta(hours=hours), zone) == text


def test_utc_stands_beside_other_zones_alone() -> None:
    begins, ends = datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 24, 23, 45, tzinfo=UTC)
    assert wording.window_text_with_utc(begins, ends, BERLIN) == (
        "Oct 25, 2026, 01:00 – 01:45 CEST (Oct 24, 2026, 23:00 – 23:45 UTC)"
    )
    assert wording.window_text_with_utc(begins, ends, UTC) == "Oct 24, 2026, 23:00 – 23:45 UTC"


@pytest.mark.parametrize(
    ("lead", "text"),
    [
        (timedelta(minutes=59, seconds=59.7), "60 minutes"),
        (timedelta(seconds=20), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(days=1), "1 day"),
    ],
)
def test_how_soon_is_said_in_minutes_up_to_two_hours(lead: timedelta, text: str) -> None:
    assert wording.lead_text(lead) == text


def test_a_maintenance_affects_and_an_incident_affected() -> None:
    assert wording.affected_sentence([Component(name="Docs")], kind="maintenance") == "This maintenance affects: Docs."
