"""Loaded by pytest before Django reads its settings: a throwaway data folder and key, and with --postgres a PostgreSQL.

Run pytest as `python -m pytest` (bin/test does), so that this module is found.
"""

import os
import shutil
import sys
import tempfile

import pytest

from tests.servers import Postgres

os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="candor-test-")
os.environ["ENV_FILE"] = os.devnull  # a developer's own .env is no part of the tests
os.environ["SECRET_KEY"] = "only-for-tests-" * 4
for knob in ("EMAIL_URL", "REDIS_URL", "SITE_URL", "DATABASE_URL", "TRUSTED_PROXIES", "PUBLISH_TO", "PUBLISHED_DIR"):
    os.environ.pop(knob, None)

server: Postgres | None = None
if "--postgres" in sys.argv and "PYTEST_XDIST_WORKER" not in os.environ:
    server = Postgres()
    server.start()
    # Inherited by the processes that run the tests in parallel.
    os.environ["CANDOR_TEST_DATABASE"] = server.url()
if database := os.environ.get("CANDOR_TEST_DATABASE"):
    os.environ["DATABASE_URL"] = database


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="Run the Django tests on a PostgreSQL started for them.")
    parser.addoption("--sqlite", action="store_true", help="Run them on SQLite, which is what happens anyway.")


def pytest_configure() -> None:
    from django.conf import settings

    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        # A file, as in production: in memory, two threads meet table locks that no timeout waits for.
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = settings.DATA_DIR / "test.sqlite3"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


def pytest_report_header() -> str:
    from django.db import connection

    return f"database: {connection.vendor}"


def skipped_in_ci(config: pytest.Config) -> bool:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return os.environ.get("CI") == "true" and bool(reporter and reporter.stats.get("skipped"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if skipped_in_ci(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if skipped_in_ci(config):
        terminalreporter.write_line("In CI nothing may be skipped, so this run has failed.", red=True)


def pytest_unconfigure() -> None:
    if server:
        server.stop()
    shutil.rmtree(os.environ["DATA_DIR"], ignore_errors=True)
