"""Ninety days beside the name of each component."""

from collections.abc import Iterator

import pytest
import time_machine

from incidents.models import Component
from tests.factories import make_component, make_page
from tests.public.parsed_page import Element, read
from tests.public.uptime_story import NOW, a_page_with_a_past

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def bars_of(name: str) -> Element:
    code = Component.objects.get(name=name).public_id
    return read("/").one("a", class_="bars", href=f"/uptime/{code}")


def runs(name: str) -> dict[str, list[tuple[int, int]]]:
    """Of each status: (first day, how many), from the drawing."""
    runs_by_status = {}
    for path in bars_of(name).all("path"):
        lines = [line.split(" ") for line in path.attributes["d"].split("M")[1:]]
        runs_by_status[path.attributes.get("class", "operational")] = [
            (int(first), int(line.split("h")[1])) for first, line in lines
        ]
    return runs_by_status


def test_each_day_has_its_worst_status_and_today_is_the_last() -> None:
    a_page_with_a_past()
    assert runs("REST API") == {
        "operational": [(0, 49), (50, 15), (66, 24)], "partial": [(49, 1)], "major": [(65, 1)],
    }  # fmt: skip
    assert runs("Website")["major"] == [(89, 1)]
    assert runs("Website")["degraded"] == [(74, 15)]


def test_days_before_a_component_began_are_no_data_and_not_green() -> None:
    a_page_with_a_past()
    assert runs("Young API") == {"none": [(0, 74)], "operational": [(74, 16)]}


def test_the_bars_are_a_link_that_says_in_words_what_they_show() -> None:
    a_page_with_a_past()
    assert bars_of("REST API").attributes["aria-label"] == "REST API, 90 days: 2 days with outages, 99.82 % uptime"
    labels = {name: bars_of(name).attributes["aria-label"] for name in ("Labels API", "Young API", "Website")}
    assert labels == {
        "Labels API": "Labels API, 90 days: 1 day with outages, 2 days with maintenance, 99.99 % uptime",
        "Young API": "Young API, 90 days: no outages, no data for 74 days, 100 % uptime",
        "Website": "Website, 90 days: 1 day with outages, 15 days with degraded performance, 99.77 % uptime",
    }
    assert bars_of("REST API").one("svg").attributes["aria-hidden"] == "true"


def test_the_number_that_is_read_is_in_the_name_of_the_link() -> None:
    a_page_with_a_past()
    for link in read("/").all("a", class_="bars"):
        assert link.text in link.attributes["aria-label"]


def test_what_counts_is_said_once_below_the_components() -> None:
    a_page_with_a_past()
    (note,) = read("/").all("p", class_="bars-note")
    assert "Counted as down: major outages in full, partial outages at 30 %." in note.text
    assert "Not counted: degraded performance, maintenance." in note.text
    assert note.one("a").attributes["href"] == "/uptime"


def test_a_component_that_keeps_its_uptime_to_itself_has_no_bars() -> None:
    page = make_page()
    make_component(page, showcase=False)
    home = read("/")
    assert home.all("a", class_="bars") == []
    assert home.all("p", class_="bars-note") == []


def test_a_page_without_components_has_no_sentence_about_bars() -> None:
    make_page()
    assert read("/").all("p", class_="bars-note") == []


def test_a_component_of_this_very_second_has_no_number_yet() -> None:
    page = make_page()
    make_component(page, "New")
    assert bars_of("New").text == "no data"
    assert bars_of("New").attributes["aria-label"] == "New, 90 days: no data"


def test_a_name_with_markup_stays_text() -> None:
    make_component(make_page(), '"><script>alert(1)</script>')
    (link,) = read("/").all("a", class_="bars")
    assert link.attributes["aria-label"].startswith('"><script>alert(1)</script>, 90 days')
