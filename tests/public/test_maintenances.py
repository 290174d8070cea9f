"""What visitors see of planned work: on the home page, on its own page, in the history and in the feeds."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import feedparser
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions.incidents import incident_lifecycle
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Page
from tests.factories import (
    ALICE,
    make_component,
    make_group,
    make_incident,
    make_maintenance,
    make_page,
    make_series,
    post,
)
from tests.public.parsed_page import Element, get, parse, read

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 21, 10, 0, tzinfo=UTC)
START = datetime(2026, 10, 24, 0, 0, tzinfo=UTC)


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def planned(document: Element) -> Element:
    return document.one("section", class_="planned")


def test_an_upcoming_one_stands_on_the_page_with_its_local_time_and_the_days_until_then(page: Page) -> None:
    rest = make_component(page, "REST API", group=make_group(page))
    maintenance = make_maintenance(page, begins=START, title="Database upgrade", components=[rest])
    section = planned(read("/"))
    assert section.one("h2").text == "Scheduled maintenance"
    assert "Oct 24, 02:00 – 04:00 CEST in 3 days" in section.text
    assert "Affects: Public APIs (REST API)" in section.text
    assert "We upgrade." in section.text
    times = [time.attributes["datetime"] for time in section.all("time")]
    assert times == ["2026-10-24T00:00:00Z", "2026-10-24T02:00:00Z"]
    links = [link.attributes["href"] for link in section.all("a")]
    place = f"/incidents/{maintenance.public_id}"
    assert links == [place, f"{place}.ics", "/maintenances.ics"]


@pytest.mark.parametrize(
    ("at", "label"),
    [
        (datetime(2026, 10, 21, 22, 1, tzinfo=UTC), "in 2 days"),
        (datetime(2026, 10, 22, 22, 1, tzinfo=UTC), "tomorrow"),
        (datetime(2026, 10, 23, 22, 1, tzinfo=UTC), "today"),
    ],
)
def test_the_days_are_counted_by_the_calendar_of_the_page_and_a_new_day_is_a_change(
    page: Page, clock: Any, at: datetime, label: str
) -> None:
    make_maintenance(page, begins=START)
    before = get("/")
    clock.move_to(at)
    assert planned(read("/")).one("p", class_="ledger-side").text.endswith(label)
    assert get("/")["Last-Modified"] != before["Last-Modified"]


def test_they_stand_soonest_first(page: Page) -> None:
    make_maintenance(page, begins=START + timedelta(days=7), title="Later")
    make_maintenance(page, begins=START, title="Sooner")
    assert [heading.text for heading in planned(read("/")).all("h3")] == ["Sooner", "Later"]


def test_a_series_stands_once_with_its_next_dates_and_what_differs_stands_alone(page: Page) -> None:
    series = make_series(page, title="Patch day", starts_at=datetime(2026, 10, 25, 2))  # noqa: DTZ001 - a wall-clock time
    section = planned(read("/"))
    assert [heading.text for heading in section.all("h3")] == ["Patch day"]
    assert "Repeats on Nov 08, 02:00 – 04:00 CET; Nov 22, 02:00 – 04:00 CET" in section.text
    _, second, third = series.occurrences.soonest_first()
    links = [link.attributes["href"] for link in section.all("a")]
    assert f"/incidents/{second.public_id}" in links
    post(third, status="scheduled", body="This time without a restart.")
    section = planned(read("/"))
    assert [heading.text for heading in section.all("h3")] == ["Patch day", "Patch day"]
    assert "This time without a restart." in section.text


def test_without_one_nothing_is_said_of_it(page: Page) -> None:
    assert not read("/").all("section", class_="planned")


def test_a_running_one_is_shown_above_the_components_and_is_no_open_incident(page: Page) -> None:
    rest = make_component(page, "REST API")
    make_component(page, "Website")
    maintenance = make_maintenance(page, begins=START, title="Database upgrade", components=[rest])
    maintenance_lifecycle.start(maintenance, UpdateInput(body="We have begun."), actor=ALICE)
    document = read("/")
    assert document.one("h1").text == "Service Under Maintenance"
    article = document.one("article", class_="planned")
    assert "Maintenance in progress" in article.text
    assert "Database upgrade Oct 24, 02:00 – 04:00 CEST Affected: REST API" in article.text
    assert "We have begun." in article.text
    assert not document.all("section", class_="planned")


def test_beside_an_open_incident_the_incident_leads(page: Page) -> None:
    make_incident(page, title="API outage")
    maintenance = make_maintenance(page, begins=START, title="Database upgrade")
    maintenance_lifecycle.start(maintenance, actor=ALICE)
    document = read("/")
    assert document.one("h1").text == "1 open incident"
    assert [heading.text for heading in document.all("h2")][:2] == ["API outage", "Database upgrade"]


def test_a_completed_one_stands_among_the_past_days(page: Page, clock: Any) -> None:
    maintenance = make_maintenance(page, begins=START, title="Database upgrade")
    clock.move_to(START)
    maintenance_lifecycle.start(maintenance, actor=ALICE)
    clock.move_to(START + timedelta(hours=1, minutes=30))
    maintenance_lifecycle.complete(maintenance, actor=ALICE)
    past = read("/").one("section", class_="past")
    assert "Maintenance Oct 24, 2026, 02:00 – 04:00 CEST Completed" in past.one("article").text
    assert not read("/").all("article", class_="planned")
    assert "Database upgrade" in read("/history").text


def test_a_cancelled_one_says_so(page: Page) -> None:
    maintenance = make_maintenance(page, begins=START, title="Database upgrade")
    maintenance_lifecycle.cancel(maintenance, UpdateInput(body="The parts did not arrive."), actor=ALICE)
    article = read("/").one("section", class_="past").one("article")
    assert "Maintenance Oct 24, 2026, 02:00 – 04:00 CEST Canceled" in article.text
    facts = read(f"/incidents/{maintenance.public_id}").one("dl")
    assert "Status Canceled" in facts.text
    assert "Add to calendar" not in facts.text


def test_its_own_page_says_when_it_is_here_and_at_utc(page: Page) -> None:
    rest = make_component(page, "REST API")
    maintenance = make_maintenance(page, begins=START, components=[rest])
    document = read(f"/incidents/{maintenance.public_id}")
    facts = document.one("dl").text
    assert "Scheduled for Oct 24, 2026, 02:00 – 04:00 CEST Oct 24, 2026, 00:00 – 02:00 UTC" in facts
    assert "Status Scheduled" in facts
    assert document.one("p", class_="affected").text == "This scheduled maintenance affects: REST API."
    assert document.one("p", class_="kicker").text == "Scheduled maintenance for Acme"
    link = document.one("dl").one("a")
    assert link.attributes["href"] == f"/incidents/{maintenance.public_id}.ics"


def test_on_a_page_at_utc_the_time_stands_once() -> None:
    maintenance = make_maintenance(make_page(), begins=START)
    facts = read(f"/incidents/{maintenance.public_id}").one("dl").text
    assert facts.count("UTC") == 1


def test_its_own_page_says_how_long_it_took(page: Page, clock: Any) -> None:
    maintenance = make_maintenance(page, begins=START)
    clock.move_to(START + timedelta(minutes=5))
    maintenance_lifecycle.start(maintenance, actor=ALICE)
    clock.move_to(START + timedelta(minutes=50))
    maintenance_lifecycle.complete(maintenance, actor=ALICE)
    facts = read(f"/incidents/{maintenance.public_id}").one("dl").text
    assert "Started Oct 24, 2026 - 02:05 CEST Duration 45 minutes" in facts


@pytest.mark.parametrize("kind", ["upcoming", "running", "completed"])
def test_every_kind_of_page_keeps_its_headings_in_order_and_its_times_readable(page: Page, kind: str) -> None:
    maintenance = make_maintenance(page, begins=START, components=[make_component(page)])
    if kind != "upcoming":
        maintenance_lifecycle.start(maintenance, actor=ALICE)
    if kind == "completed":
        maintenance_lifecycle.complete(maintenance, actor=ALICE)
    for path in ("/", "/history", f"/incidents/{maintenance.public_id}"):
        document = read(path)
        levels = [int(e.tag[1]) for e in document.walk() if len(e.tag) == 2 and e.tag[0] == "h" and e.tag[1].isdigit()]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels)), path
        assert all(time.attributes["datetime"] for time in document.all("time"))
        ids = [element.attributes["id"] for element in document.walk() if "id" in element.attributes]
        assert len(ids) == len(set(ids)), path


def test_home_costs_the_same_however_many_are_planned(page: Page) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert get("/").status_code == 200
        return len(captured)

    parts = [make_component(page, f"Part {number}") for number in range(4)]
    make_incident(page, components={parts[0]: "partial_outage"})
    make_maintenance(page, begins=START, components=parts)
    before = queries()
    for number in range(12):
        maintenance = make_maintenance(page, begins=START + timedelta(days=number), components=parts)
        if number % 2:
            maintenance_lifecycle.start(maintenance, actor=ALICE)
    assert queries() == before <= 12


# Feeds


def entries(path: str) -> list[feedparser.FeedParserDict]:
    parsed = feedparser.parse(get(path).content, response_headers={"content-type": get(path)["Content-Type"]})
    assert not parsed.bozo
    return list(parsed.entries)


def test_rss_lists_upcoming_ones_first_soonest_first(page: Page) -> None:
    make_maintenance(page, begins=START + timedelta(days=1), title="Later")
    make_maintenance(page, begins=START, title="Sooner")
    make_incident(page, title="Newest")
    assert [entry.title for entry in entries("/history.rss")] == ["Sooner", "Later", "Newest"]
    assert [entry.title for entry in entries("/history.atom")] == ["Newest", "Sooner", "Later"]


def test_an_upcoming_one_begins_with_the_words_that_readers_look_for(page: Page) -> None:
    make_maintenance(page, begins=START)
    (entry,) = entries("/history.rss")
    assert parse(entry.description).text.startswith(
        "THIS IS A SCHEDULED EVENT Oct 24, 02:00 - 04:00 CEST Oct 21, 12:00 CEST Scheduled - We upgrade."
    )
    raw = get("/history.rss").content.decode()
    assert (
        "&lt;p&gt;&lt;strong&gt;THIS IS A SCHEDULED EVENT Oct &lt;var data-var=&#x27;date&#x27;&gt;24&lt;/var&gt;"
        in raw
    )


@pytest.mark.parametrize(
    ("hours", "at", "text"),
    [
        (24, START, "Oct 24, 02:00 - Oct 25, 02:00 CEST"),
        (4, datetime(2026, 10, 24, 23, 0, tzinfo=UTC), "Oct 25, 01:00 CEST - 04:00 CET"),
    ],
)
def test_the_words_say_the_second_day_and_the_second_zone_where_they_differ(
    page: Page, hours: int, at: datetime, text: str
) -> None:
    make_maintenance(page, begins=at, hours=hours)
    (entry,) = entries("/history.rss")
    assert f"THIS IS A SCHEDULED EVENT {text} " in parse(entry.description).text


def test_once_begun_it_is_an_entry_like_any_other(page: Page) -> None:
    maintenance = make_maintenance(page, begins=START)
    maintenance_lifecycle.start(maintenance, actor=ALICE)
    (entry,) = entries("/history.rss")
    assert "THIS IS A SCHEDULED EVENT" not in entry.description
    assert "In progress" in entry.description


def test_a_feed_costs_no_more_for_many(page: Page) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            get("/history.rss")
        return len(captured)

    make_maintenance(page, begins=START)
    before = queries()
    for number in range(8):
        make_maintenance(page, begins=START + timedelta(hours=number))
    assert queries() == before <= 4


# Visibility


def test_a_hidden_one_appears_nowhere(page: Page) -> None:
    rest = make_component(page)
    maintenance = make_maintenance(page, begins=START, title="canary-title", body="canary-body", components=[rest])
    place = f"/incidents/{maintenance.public_id}"
    everywhere = ("/", "/history", "/history.rss", "/history.atom", "/maintenances.ics", place, f"{place}.ics")
    assert "canary" in get("/maintenances.ics").content.decode()
    incident_lifecycle.hide(maintenance, actor=ALICE, reason="By mistake.")
    for path in (*everywhere, f"/maintenances.ics?component={rest.public_id}"):
        assert "canary" not in get(path).content.decode(), path
    assert get(place).status_code == get(f"{place}.ics").status_code == 404


def test_one_of_another_page_appears_nowhere_here(page: Page) -> None:
    other = make_page(name="Other", domain="status.other.example")
    maintenance = make_maintenance(other, begins=START, title="canary-title")
    for path in ("/", "/history.rss", "/maintenances.ics", f"/incidents/{maintenance.public_id}.ics"):
        assert "canary" not in get(path).content.decode(), path
    assert get(f"/incidents/{maintenance.public_id}.ics").status_code == 404
