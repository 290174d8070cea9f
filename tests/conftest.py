"""Real servers and the real product, on request. What must be set before Django starts is in environment.py."""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from time_machine import escape_hatch

from tests.live import Candor
from tests.receivers import Receiver
from tests.servers import CHROMIUM, CHROMIUM_ARGS, Postgres, Redis, SmtpSink, missing
from tests.smtp_sink_process import FastSink

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pytest_django import Settings

    from incidents.models import Page


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """Create STATIC_ROOT. WhiteNoise warns if it is missing, and warnings are errors."""
    from django.conf import settings

    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _own_clock_and_published_folder(settings: "Settings", tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What one test publishes belongs to its database only."""
    from incidents import clock

    settings.PUBLISHED_DIR = tmp_path_factory.mktemp("published")
    yield
    clock.forget()


@pytest.fixture(autouse=True)
def _travels_without_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a test moves the machine's clock, let that clock decide what is due: PostgreSQL's cannot be moved."""
    from incidents import clock

    synchronize = clock.synchronize
    monkeypatch.setattr(clock, "synchronize", lambda: timedelta(0) if escape_hatch.is_travelling() else synchronize())


@pytest.fixture(autouse=True)
def _close_kept_connections() -> Iterator[None]:
    """Close the SMTP connections that a test kept, so that the next test connects to its own server."""
    from statuspage.notifications.transports.smtp.kept_pool import KEPT_POOL

    yield
    KEPT_POOL.close()


@pytest.fixture
def page(db: None) -> "Page":
    """An empty page named Acme. Folders that need another page define their own."""
    from tests.factories import make_page

    return make_page(name="Acme")


@pytest.fixture
def sink(smtp_sink: SmtpSink, settings: "Settings") -> SmtpSink:
    """A running mail server that the settings point to."""
    from tests.notifications.mailbox import use_server

    use_server(settings, smtp_sink.controller.port)
    return smtp_sink


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    sink = SmtpSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An HTTP server that keeps what it hears. To be reached, it must stand in OUTBOUND_ALLOW."""
    server = Receiver()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def fast_sink() -> Iterator[FastSink]:
    sink = FastSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def candor(tmp_path: Path) -> Iterator[Candor]:
    """The product, not yet started; whatever was started of it is stopped at the end."""
    product = Candor(tmp_path, env={"PAGE_NAME": "Acme"})
    yield product
    product.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    if not shutil.which(CHROMIUM):
        missing("Chromium", "chromium")
    # Playwright's event loop runs in this thread; Django would refuse to talk to its database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        browser.close()
