from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings, settings

from tests.importers.statuspages import FakeStatuspage


@pytest.fixture(scope="session", autouse=True)
def _collected_static_folder() -> None:
    """Whitenoise warns if there is none."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def theirs(settings: LazySettings) -> Iterator[FakeStatuspage]:
    """A Statuspage that we move away from."""
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    server = FakeStatuspage()
    server.start()
    yield server
    server.stop()
