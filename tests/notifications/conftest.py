from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from incidents.models import Page
from tests.factories import make_page
from tests.notifications.mailbox import use_server
from tests.servers import SmtpSink


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """WhiteNoise warns if the folder is missing, and warnings are errors."""
    Path(django_settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def sink(smtp_sink: SmtpSink, settings: Settings) -> SmtpSink:
    """A running mail server that the settings point to."""
    use_server(settings, smtp_sink)
    return smtp_sink


@pytest.fixture
def page(db: None) -> Page:
    return make_page(name="Acme")
