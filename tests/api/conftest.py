from pathlib import Path

import pytest
from django.conf import settings

from incidents.models import Page
from tests.api.programs import Program, make_program
from tests.factories import make_page


@pytest.fixture(scope="session", autouse=True)
def _folder_for_static_files() -> None:
    """WhiteNoise warns where there is none, and warnings are errors."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def page(db: None) -> Page:
    return make_page()


@pytest.fixture
def program(page: Page) -> Program:
    return make_program(page)
