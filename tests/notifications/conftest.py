from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from incidents.models import Page
from tests.factories import make_page
from tests.notifications.mailbox import use_server
from tests.servers import SmtpSink


@pytest.fixture(scope="session", autouse=True)
def _folder_for_static_files() -> None:
    """WhiteNoise warns where there is none, and warnings are errors."""
    Path(django_settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def sink(smtp_sink: SmtpSink, settings: Settings) -> SmtpSink:
    """A real mail server, and Django's settings that lead to it."""
    use_server(settings, smtp_sink)
    return smtp_sink


@pytest.fixture
def page(db: None) -> Page:
    return make_page(name="Acme")
