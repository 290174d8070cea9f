"""One publication reads the state of the page once, however many paths show it and however long the past is."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from time_machine import travel

from incidents.actions.components import component_lifecycle
from incidents.actions.incidents import attributes, component_corrections, incident_lifecycle
from incidents.actions.pages import page_settings
from incidents.actions.update_input import UpdateInput
from incidents.models import Event, Incident, Page
from incidents.reporting.uptime import Weights
from statuspage.common.shared_reads import current_time, shared, sharing
from statuspage.public import published_paths
from tests.factories import ALICE, make_component, make_group, make_incident, make_maintenance, make_page, post
from tests.public.parsed_page import get
from tests.public.test_cost import fill_the_past
from tests.publishing.folders import as_text, page_files, page_publisher, published

# One update of an incident with one component publishes 30 paths.
MOST_QUERIES = 50


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


def changes_of_every_input(page: Page, incident: Incident) -> Iterator[Callable[[], object]]:
    """Yield changes of everything that publications share or compute from what they share."""
    update = incident.updates.newest_first()[0]
    part, other = page.components.order_by("pk")[:2]
    yield partial(post, incident, body="We know more.")
    yield partial(incident_lifecycle.edit_update, update, body="We look at @11:00.", actor=ALICE)
    yield partial(attributes.edit_details, incident, title="Slow answers", actor=ALICE)
    yield partial(component_lifecycle.set_status, other, "major_outage", actor=ALICE)
    yield partial(component_lifecycle.edit_component, part, name="Renamed", description="Parts", actor=ALICE)
    yield partial(component_lifecycle.edit_component, other, name="Hidden uptime", showcase=False, actor=ALICE)
    yield partial(component_corrections.correct_components, update, {}, reason="A test", actor=ALICE)
    yield partial(page_settings.edit_page, page, name="Renamed page", actor=ALICE)
    yield partial(page_settings.set_uptime_weights, page, Weights(partial_outage=Decimal(1)), actor=ALICE)
    yield partial(make_maintenance, page, components=[part])
    yield partial(incident_lifecycle.resolve, incident, UpdateInput(body="Over."), restore=None, actor=ALICE)
    yield partial(incident_lifecycle.hide, incident, reason="A test", actor=ALICE)
    yield partial(component_lifecycle.set_archived, other, archived=True, actor=ALICE)


@pytest.mark.django_db
def test_after_a_change_of_any_input_a_publication_has_what_each_path_has_on_its_own() -> None:
    with travel("2026-11-25T12:00:00Z", tick=False) as clock:
        page, incident = make_filled_page(5)
        for change in changes_of_every_input(page, incident):
            clock.shift(timedelta(minutes=2))
            last = Event.objects.newest_of(page)
            change()
            # Actions change rows, not always these objects.
            page = Page.objects.get(pk=page.pk)
            incident.refresh_from_db()
            page_files(page).publish_events()
            events, now = list(Event.objects.of_page_after(page, last)), timezone.now()
            texts = published(page)
            for path in published_paths.changed(page, events, since=now, now=now).paths:
                answer = get(path)
                expected = as_text(answer.content) if answer.status_code == 200 else None
                assert texts.get(path) == expected, (change, path)


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
