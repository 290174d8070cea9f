from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.importers.statuspages import FakeStatuspage


@pytest.fixture
def theirs(settings: LazySettings) -> Iterator[FakeStatuspage]:
    """A Statuspage that we move away from."""
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    server = FakeStatuspage()
    server.start()
    yield server
    server.stop()
