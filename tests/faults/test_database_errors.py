"""The errors of real databases, as Django reports them: each failure has its own reason, other errors have none."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import environ
import psycopg
import pytest
from django.db import DatabaseError, Error
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from statuspage.common import database_errors as kinds
from statuspage.common.database_errors import database_failure
from tests.servers import Postgres, free_port

# The fixture of pytest-django lets Django connect. The databases of this file are its own.
pytestmark = pytest.mark.django_db


def connected(url: str, **options: Any) -> BaseDatabaseWrapper:
    database = environ.Env.db_url_config(url) | {"OPTIONS": options}
    connection = ConnectionHandler({"default": database})["default"]
    assert isinstance(connection, BaseDatabaseWrapper)
    return connection


def failure_of(connection: BaseDatabaseWrapper, sql: str) -> kinds.DatabaseFailure | None:
    with pytest.raises(Error) as caught, connection.cursor() as cursor:
        cursor.execute(sql)
    return database_failure(caught.value)


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[BaseDatabaseWrapper]:
    connection = connected(f"sqlite:///{tmp_path}/db.sqlite3", timeout=0.1)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE note (body TEXT)")
    yield connection
    connection.close()


WRITE = "INSERT INTO note VALUES ('x')"


def test_sqlite_locked(sqlite: BaseDatabaseWrapper) -> None:
    other = sqlite3.connect(sqlite.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert failure_of(sqlite, WRITE) is kinds.LOCKED
    other.close()


def test_sqlite_full(sqlite: BaseDatabaseWrapper) -> None:
    with sqlite.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 2")
    assert failure_of(sqlite, "INSERT INTO note VALUES (zeroblob(100000))") is kinds.FULL


def test_sqlite_read_only(sqlite: BaseDatabaseWrapper) -> None:
    with sqlite.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 1")
    assert failure_of(sqlite, WRITE) is kinds.READ_ONLY


def test_sqlite_file_that_cannot_be_opened(tmp_path: Path) -> None:
    assert failure_of(connected(f"sqlite:///{tmp_path}/missing/db.sqlite3"), "SELECT 1") is kinds.UNREADABLE


def test_errors_of_the_program_have_no_reason(sqlite: BaseDatabaseWrapper) -> None:
    assert failure_of(sqlite, "SELECT * FROM no_such_table") is None
    assert failure_of(sqlite, "not SQL") is None
    assert database_failure(ValueError()) is None
    assert database_failure(None) is None


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres]:
    """Its connections are used up, and it is stopped."""
    server = Postgres()
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE note (body TEXT)")
        connection.execute("INSERT INTO note VALUES ('x')")
    yield server
    server.stop()


RAISE = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '{}'; END $$"


@pytest.mark.parametrize(
    ("setting", "sql", "kind"),
    [
        ("statement_timeout=50", "SELECT pg_sleep(30)", kinds.SLOW),
        ("default_transaction_read_only=on", WRITE, kinds.READ_ONLY),
        ("lock_timeout=0", RAISE.format("53100"), kinds.FULL),
        ("lock_timeout=0", RAISE.format("40P01"), kinds.LOCKED),
        ("lock_timeout=0", "SELECT pg_terminate_backend(pg_backend_pid())", kinds.LOST),
        ("lock_timeout=0", "SELECT * FROM no_such_table", None),
        ("lock_timeout=0", "SELECT 1/0", None),
    ],
)
def test_postgresql(own_postgres: Postgres, setting: str, sql: str, kind: kinds.DatabaseFailure | None) -> None:
    connection = connected(own_postgres.url(), options=f"-c {setting}")
    assert failure_of(connection, sql) is kind
    connection.close()


def test_postgresql_locked(own_postgres: Postgres) -> None:
    with psycopg.connect(own_postgres.url()) as other:
        other.execute("SELECT * FROM note FOR UPDATE")
        connection = connected(own_postgres.url(), options="-c lock_timeout=50")
        assert failure_of(connection, "UPDATE note SET body = 'y'") is kinds.LOCKED
        connection.close()


def test_postgresql_with_too_many_connections(own_postgres: Postgres) -> None:
    with ExitStack() as others:
        while True:
            try:
                others.enter_context(psycopg.connect(own_postgres.url()))
            except psycopg.OperationalError:
                break
        assert failure_of(connected(own_postgres.url()), "SELECT 1") is kinds.CONNECTIONS


def test_a_commit_on_a_lost_connection_leaves_the_result_open(own_postgres: Postgres) -> None:
    connection = connected(own_postgres.url())
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process_id,) = cursor.fetchone()
    with psycopg.connect(own_postgres.url(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process_id])
    with pytest.raises(DatabaseError) as caught:
        connection.commit()
    assert database_failure(caught.value) is kinds.LOST
    connection.close()


def test_postgresql_that_refuses_connections() -> None:
    assert failure_of(connected(f"postgres://candor@127.0.0.1:{free_port()}/candor"), "SELECT 1") is kinds.AWAY


def test_a_failed_transaction_is_reported_by_its_first_error(own_postgres: Postgres) -> None:
    connection = connected(own_postgres.url())
    connection.set_autocommit(False)
    assert failure_of(connection, "SELECT 1/0") is None
    assert failure_of(connection, "SELECT 1") is None
    connection.close()
