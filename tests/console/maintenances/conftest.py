import pytest
from django.test import Client

from incidents.models import Page
from tests.console.staff import signed_in
from tests.factories import make_page


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor", name="Erin")
