"""Loaded by pytest before Django reads its settings: a temporary data folder and key, and with --postgres a PostgreSQL.

Run pytest as `python -m pytest` (bin/test does), so that this module is found.
"""

import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import POSTGRES_PACKAGE, Postgres, missing_programs_skip, not_installed

os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="candor-test-")
os.environ["ENV_FILE"] = os.devnull  # the tests ignore a developer's .env
os.environ["SECRET_KEY"] = "only-for-tests-" * 4
for setting in ("EMAIL_URL", "REDIS_URL", "SITE_URL", "DATABASE_URL", "TRUSTED_PROXIES", "PUBLISH_TO", "PUBLISHED_DIR"):
    os.environ.pop(setting, None)

server: Postgres | None = None
wants_postgres = "--postgres" in sys.argv and "PYTEST_XDIST_WORKER" not in os.environ
if wants_postgres and Postgres.is_installed():
    server = Postgres()
    server.start()
    # Inherited by the processes that run the tests in parallel.
    os.environ["CANDOR_TEST_DATABASE"] = server.url()
if database := os.environ.get("CANDOR_TEST_DATABASE"):
    os.environ["DATABASE_URL"] = database


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="Run the Django tests on a PostgreSQL started for them.")
    parser.addoption("--failures-to", type=Path, help="Write the names of the tests that failed to this file.")
    parser.addoption("--sqlite", action="store_true", help="Run the Django tests on SQLite (the default).")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main() -> pytest.ExitCode | None:
    """With --postgres but without PostgreSQL, run no test and print one line."""
    if not wants_postgres or server:
        return None
    in_ci = os.environ.get("CI") == "true"
    result = "Failed" if in_ci else "Skipped"
    sys.stdout.write(f"{result} all tests on PostgreSQL: {not_installed(*POSTGRES_PACKAGE)}\n")
    return pytest.ExitCode.TESTS_FAILED if in_ci else pytest.ExitCode.OK


def pytest_configure() -> None:
    from django.conf import settings

    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        # A file, as in production: in memory, two threads meet table locks that no timeout waits for.
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = settings.PRIVATE_DIR / "test.sqlite3"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


def pytest_report_header() -> str:
    from django.db import connection

    return f"database: {connection.vendor}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    with missing_programs_skip():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    with missing_programs_skip():
        return (yield)


def skip_lines(reporter: pytest.TerminalReporter) -> list[str]:
    """Return one line for each reason, however many tests it skipped."""
    reasons: Counter[str] = Counter()
    for report in reporter.getreports("skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] += 1
    return [f"Skipped {count} {'test' if count == 1 else 'tests'}: {reason}" for reason, count in reasons.items()]


def skipped_in_ci(config: pytest.Config) -> bool:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return os.environ.get("CI") == "true" and bool(reporter and reporter.stats.get("skipped"))


def write_failures(reporter: pytest.TerminalReporter, config: pytest.Config, file: Path) -> None:
    kinds = ("failed", "error", "skipped") if skipped_in_ci(config) else ("failed", "error")
    reports = [report for kind in kinds for report in reporter.getreports(kind)]
    names = dict.fromkeys(without_group(report.nodeid) for report in reports)
    file.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def without_group(nodeid: str) -> str:
    """Return the name that pytest accepts as an argument, without the `@` and the group that a parallel run adds."""
    return re.sub(r"@[\w-]+$", "", nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if skipped_in_ci(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    # pytest's own list has a line for each place that skips.
    terminalreporter.reportchars = terminalreporter.reportchars.replace("s", "")
    for line in skip_lines(terminalreporter):
        terminalreporter.write_line(line, yellow=True)
    if file := config.getoption("failures_to"):
        write_failures(terminalreporter, config, file)
    if skipped_in_ci(config):
        terminalreporter.write_line("In CI nothing may be skipped, so this run has failed.", red=True)


def pytest_unconfigure() -> None:
    if server:
        server.stop()
    shutil.rmtree(os.environ["DATA_DIR"], ignore_errors=True)
