"""One publication reads the state of the page once, however many paths show it and however long the past is."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.models import Incident, Page
from statuspage.common.shared_reads import current_time, shared, sharing
from tests.factories import make_component, make_group, make_incident, make_page, post
from tests.public.parsed_page import get
from tests.public.test_cost import fill_the_past
from tests.publishing.folders import as_text, page_publisher, published

# One update of an incident with one component publishes 30 paths.
MOST_QUERIES = 75


def make_filled_page(past: int) -> tuple[Page, Incident]:
    page = make_page()
    components = [make_component(page, f"Part {n}", group=make_group(page, f"Group {n}")) for n in range(3)]
    fill_the_past(page, past)
    incident = make_incident(page, components={components[0]: "partial_outage"})
    page_publisher(page).update(page)
    return page, incident


def queries_of_update(page: Page, incident: Incident) -> int:
    post(incident, body="We know more.")
    with CaptureQueriesContext(connection) as queries:
        page_publisher(page).update(page)
    assert "We know more." in published(page)["/"]
    return len(queries)


@pytest.mark.django_db
@pytest.mark.parametrize("past", [5, 150])
def test_the_number_of_queries_of_an_update_does_not_grow_with_past_incidents(past: int) -> None:
    assert queries_of_update(*make_filled_page(past)) <= MOST_QUERIES


@pytest.mark.django_db
def test_the_page_and_its_components_are_read_once() -> None:
    page, incident = make_filled_page(5)
    post(incident, body="We know more.")
    with CaptureQueriesContext(connection) as queries:
        page_publisher(page).update(page)
    by_host = [query for query in queries if "CASE WHEN" in query["sql"] and 'FROM "incidents_page"' in query["sql"]]
    in_order = [query for query in queries if 'COALESCE("incidents_componentgroup"."position"' in query["sql"]]
    assert len(by_host) == len(in_order) == 1


@pytest.mark.django_db
def test_each_publication_reads_anew() -> None:
    page, incident = make_filled_page(1)
    for number in range(3):
        post(incident, body=f"Report {number}.")
        page_publisher(page).update(page)
        texts = published(page)
        for path in ("/history.atom", "/history.json", "/feed.json", "/api/v2/summary.json"):
            if path in texts:
                assert f"Report {number}." in texts[path], path
                assert texts[path] == as_text(get(path).content), path


def test_a_shared_read_runs_once_within_a_publication_and_each_time_outside() -> None:
    runs: list[int] = []

    @shared
    def read(number: int) -> list[int]:
        runs.append(number)
        return [number]

    assert read(1) == read(1) == [1]
    assert runs == [1, 1]
    with sharing():
        assert read(1) is read(1)
        assert read(2) == [2]
    assert runs == [1, 1, 1, 2]
    with sharing():
        read(1)
    assert runs == [1, 1, 1, 2, 1]


def test_a_failed_read_is_tried_again() -> None:
    failures = [ValueError("away"), None]

    @shared
    def read() -> str:
        if failure := failures.pop(0):
            raise failure
        return "here"

    with sharing():
        with pytest.raises(ValueError, match="away"):
            read()
        assert read() == "here"


def test_a_publication_has_one_time() -> None:
    with sharing():
        assert current_time() == current_time()
    assert abs(current_time() - timezone.now()) < timedelta(minutes=1)
