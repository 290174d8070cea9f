from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incidents import wording
from incidents.models import Component, ComponentGroup


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
    ("duration", "words"),
    [
        (timedelta(seconds=5), "1 minute"),
        (timedelta(minutes=48), "48 minutes"),
        (timedelta(hours=1, minutes=5), "1 hour 5 minutes"),
        (timedelta(days=2, hours=3, minutes=59), "2 days 3 hours"),
        (timedelta(days=1), "1 day"),
    ],
)
def test_durations_are_two_units_long(duration: timedelta, words: str) -> None:
    assert wording.duration_text(duration) == words
