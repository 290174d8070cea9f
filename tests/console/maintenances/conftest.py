from collections.abc import Iterator

import pytest
from django.test import Client
from time_machine import Traveller, travel

from incidents.actions.maintenances import maintenance_lifecycle
from incidents.models import Incident, Page
from tests.console.maintenances.one_maintenance import NOW, START
from tests.console.staff import signed_in
from tests.factories import ALICE, make_component, make_maintenance, make_page


@pytest.fixture
def clock() -> Iterator[Traveller]:
    """It is NOW, until the test moves it."""
    with travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor", name="Erin")


@pytest.fixture
def maintenance(page: Page, clock: Traveller) -> Incident:
    """Scheduled for START."""
    return make_maintenance(page, begins=START, components=[make_component(page, "REST API")])


@pytest.fixture
def running(maintenance: Incident, clock: Traveller) -> Incident:
    clock.move_to(START)
    maintenance_lifecycle.start(maintenance, actor=ALICE)
    return maintenance
