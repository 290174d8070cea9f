from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from incidents.models import Incident, Page
from tests.console.staff import signed_in
from tests.factories import make_component, make_page, make_resolved


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor", name="Erin")


@pytest.fixture
def incident(page: Page) -> Incident:
    """An incident that made the API unavailable for 48 minutes."""
    ago = timezone.now() - timedelta(hours=3)
    api = make_component(page, "API")
    return make_resolved(page, at=ago, until=ago + timedelta(minutes=48), components={api: "major_outage"})
