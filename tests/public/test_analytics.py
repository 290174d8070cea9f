from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import travel

from incidents.actions.incidents import incident_lifecycle
from incidents.actions.incidents.impact_start import set_impact_start
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident, Page
from tests.common.test_charts import heights
from tests.factories import ALICE, make_component, make_incident, make_page, make_resolved, post
from tests.public.parsed_page import Element, get, read
from tests.public.test_reports import texts

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _in_november() -> Iterator[None]:
    with travel(NOW, tick=False):
        yield


@pytest.fixture
def page() -> Page:
    return make_page(analytics_public=True)


def lived_through(page: Page, start: datetime, *, noticed: int, fixed: int, resolved: int, **more: object) -> Incident:
    """Minutes count from the start of the impact."""
    incident = make_incident(page, at=start + noticed * MINUTE, **more)
    post(incident, "monitoring", at=start + fixed * MINUTE)
    incident_lifecycle.resolve(
        incident, UpdateInput(body="Over.", at=start + resolved * MINUTE), restore=None, actor=ALICE
    )
    return set_impact_start(incident, start, actor=ALICE)


@pytest.fixture
def october(page: Page) -> None:
    """Three in October: resolved after 30, 60 and 300 minutes. The last is of critical impact."""
    for day, minutes in ((3, 30), (9, 60), (20, 300)):
        more = {"impact": "critical"} if day == 20 else {"impact": "minor"}
        start = datetime(2026, 10, day, 10, tzinfo=UTC)
        lived_through(page, start, noticed=minutes // 10, fixed=minutes // 2, resolved=minutes, **more)


def rows(section: Element, number: int = 0) -> dict[str, list[str]]:
    body = section.all("tbody")[number]
    cells = [texts(row) for row in body.all("tr")]
    return {first: rest for first, *rest in cells}


def section_of(document: Element, measure: str) -> Element:
    return document.one("section", aria_labelledby=measure)


@pytest.mark.usefixtures("october")
def test_each_month_has_its_median_ninetieth_percentile_and_sample() -> None:
    document = read("/analytics")
    assert rows(section_of(document, "acknowledge"))["Oct 2026"] == ["6 min", "30 min", "3 of 3"]
    assert rows(section_of(document, "fix"))["Oct 2026"] == ["30 min", "2 h 30 min", "3 of 3"]
    assert rows(section_of(document, "resolve"))["Oct 2026"] == ["1 h", "5 h", "3 of 3"]
    assert rows(section_of(document, "resolve"))["Nov 2026 so far"] == ["–", "–", "no incidents"]


@pytest.mark.usefixtures("october")
def test_impacts_are_listed_apart() -> None:
    section = section_of(read("/analytics"), "resolve")
    lines = [texts(row) for row in section.all("tbody")[1].all("tr")]
    assert lines == [
        ["Oct 2026", "Critical impact", "5 h", "5 h", "1 of 1"],
        ["Oct 2026", "Minor impact", "30 min", "1 h", "2 of 2"],
    ]


@pytest.mark.usefixtures("october")
def test_the_chart_says_the_same_in_words_and_in_height() -> None:
    chart = section_of(read("/analytics"), "resolve").one("svg")
    assert chart.one("desc").text == "October 2026: median 1 h, 90th percentile 5 h, 3 of 3 counted."
    axis = heights(chart)
    assert list(axis) == ["0 min", "2 h", "4 h", "6 h"]
    hour = (axis["0 min"] - axis["6 h"]) / 6
    dot, ring = (float(chart.one("circle", class_=f"chart-{kind}").attributes["cy"]) for kind in ("dot", "ring"))
    assert (axis["0 min"] - dot) / hour == pytest.approx(1, abs=0.01)
    assert (axis["0 min"] - ring) / hour == pytest.approx(5, abs=0.01)


def test_an_incident_without_the_times_is_not_counted_and_the_sample_says_so(page: Page) -> None:
    api = make_component(page)
    make_incident(page, components={api: "major_outage"}, at=NOW - timedelta(hours=1))
    document = read("/analytics")
    for measure in ("acknowledge", "fix", "resolve"):
        assert rows(section_of(document, measure))["Nov 2026 so far"] == ["–", "–", "0 of 1"]


def test_a_page_where_nothing_happened_shows_empty_months(page: Page) -> None:
    document = read("/analytics")
    assert "0 incidents that began from December 2025 to November 2026" in document.one("main").text
    assert len(rows(section_of(document, "resolve"))) == 12
    assert "No incident in these months has the required times." in document.all("desc")[0].text


def test_older_years_are_a_page_each(page: Page) -> None:
    lived_through(page, datetime(2024, 12, 31, 10, tzinfo=UTC), noticed=1, fixed=2, resolved=3)
    assert read("/analytics").one("a", rel="next").attributes["href"] == "?page=2"
    document = read("/analytics?page=2")
    assert rows(section_of(document, "resolve"))["Dec 2024"] == ["3 min", "3 min", "1 of 1"]
    assert not document.all("a", rel="next")
    for number in ("0", "3", "-1", "x", "99999999", "²"):
        assert get(f"/analytics?page={number}").status_code == 404


@pytest.mark.usefixtures("october")
def test_hidden_incidents_are_left_out(page: Page) -> None:
    incident_lifecycle.hide(page.incidents.get(impact="critical"), actor=ALICE, reason="A test.")
    assert rows(section_of(read("/analytics"), "resolve"))["Oct 2026"] == ["30 min", "1 h", "2 of 2"]


def test_without_the_switch_it_is_not_found_and_not_linked(page: Page) -> None:
    assert "Analytics" in read("/").one("footer").text
    Page.objects.update(analytics_public=False)
    assert get("/analytics").status_code == 404
    assert "Analytics" not in read("/").one("footer").text


def test_analytics_need_five_queries_however_long_the_history(page: Page) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert get("/analytics").status_code == 200
        return len(queries)

    make_resolved(page, at=NOW - timedelta(days=500), until=NOW - timedelta(days=499))
    assert count() == 5
    for days in range(0, 1_000, 25):
        make_resolved(page, at=NOW - timedelta(days=days + 1), until=NOW - timedelta(days=days))
    assert count() == 5


@pytest.mark.usefixtures("october")
def test_it_is_a_page_like_the_others() -> None:
    html = get("/analytics").content.decode()
    assert "style=" not in html
    assert "<script" not in html
    document = read("/analytics")
    assert document.one("h1").text
    ids = [element.attributes["id"] for element in document.walk() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    named = {name for element in document.walk() for name in element.attributes.get("aria-labelledby", "").split()}
    assert named <= set(ids)
