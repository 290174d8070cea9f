"""What is still red although the incident that named it is resolved."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from incidents.actions.components import component_lifecycle as component_actions
from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.maintenances import maintenance_lifecycle as maintenance_actions
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, Incident, Page
from incidents.reminders.unrestored_components import WATCHED, unrestored_components, unrestored_components_of
from tests.factories import ALICE, make_component, make_group, make_incident, make_maintenance, make_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def api(page: Page) -> Component:
    return make_component(page, "API")


def leave_red(page: Page, *components: Component, **more: Any) -> Incident:
    incident = make_incident(page, components=dict.fromkeys(components, "major_outage"), **more)
    actions.resolve(incident, UpdateInput(body="It works again."), restore=None, actor=ALICE)
    return incident


def resolve_well(page: Page, component: Component) -> Incident:
    incident = make_incident(page, components={component: "major_outage"})
    actions.resolve(incident, UpdateInput(body="It works again."), restore={component: "operational"}, actor=ALICE)
    return incident


def left(page: Page, *, after: timedelta = timedelta(0)) -> list[tuple[Incident, list[str]]]:
    unrestored = unrestored_components(page, now=timezone.now() + after)
    return [(entry.incident, [component.name for component in entry.components]) for entry in unrestored]


def test_unrestored_components_are_listed_in_page_order(page: Page, api: Component) -> None:
    web = make_component(page, "Web", group=make_group(page, "Sites"))
    incident = leave_red(page, web, api)
    assert left(page) == [(incident, ["API", "Web"])]


def test_a_resolve_that_sets_everything_back_leaves_nothing(page: Page, api: Component) -> None:
    resolve_well(page, api)
    assert left(page) == []


def test_what_the_resolve_itself_says_is_only_better_is_left_over(page: Page, api: Component) -> None:
    incident = make_incident(page, components={api: "major_outage"})
    actions.resolve(incident, UpdateInput(body="Mostly."), restore={api: "degraded_performance"}, actor=ALICE)
    assert left(page) == [(incident, ["API"])]


def test_what_an_open_incident_names_is_its_business(page: Page, api: Component) -> None:
    leave_red(page, api)
    make_incident(page, components={api: "partial_outage"})
    assert left(page) == []


def test_what_a_running_maintenance_names_is_its_business(page: Page, api: Component) -> None:
    leave_red(page, api)
    maintenance_actions.start(make_maintenance(page, components=[api]), actor=ALICE)
    assert left(page) == []


def test_what_was_set_back_by_hand_and_broke_anew_is_not_left_over(page: Page, api: Component) -> None:
    leave_red(page, api)
    component_actions.set_status(api, "operational", actor=ALICE)
    assert left(page) == []
    component_actions.set_status(api, "partial_outage", actor=ALICE)
    assert left(page) == []


def test_what_got_better_and_not_well_is_left_over_by_nobody(page: Page, api: Component) -> None:
    """Somebody has looked at it since."""
    leave_red(page, api)
    component_actions.set_status(api, "degraded_performance", actor=ALICE)
    assert left(page) == []


def test_the_incident_that_was_resolved_last_has_it(page: Page, api: Component) -> None:
    web = make_component(page, "Web")
    first = leave_red(page, api, web)
    last = leave_red(page, api)
    assert left(page) == [(last, ["API"]), (first, ["Web"])]


def test_deleted_incidents_archived_components_and_old_ones_are_left_alone(page: Page, api: Component) -> None:
    incident = leave_red(page, api)
    assert left(page, after=WATCHED + timedelta(hours=1)) == []
    component_actions.set_archived(api, archived=True, actor=ALICE)
    assert left(page) == []
    other = leave_red(page, make_component(page, "Web"))
    actions.hide(other, reason="A drill.", actor=ALICE)
    assert left(page) == []
    assert incident.is_resolved


def test_another_page_is_not_asked(page: Page, api: Component) -> None:
    leave_red(page, api)
    assert left(make_page(name="Other", domain="other.example")) == []


def test_an_incident_without_unrestored_components_needs_no_query(
    page: Page, api: Component, django_assert_num_queries: Callable[[int], Any]
) -> None:
    web = make_component(page, "Web")
    good = resolve_well(page, web)
    bad = leave_red(page, api)
    api.refresh_from_db()
    web.refresh_from_db()
    with django_assert_num_queries(0):
        assert unrestored_components_of(good, [web], now=timezone.now()) == []
    with django_assert_num_queries(1):
        assert unrestored_components_of(bad, [api], now=timezone.now()) == [api]
