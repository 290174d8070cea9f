"""Copies the database of the settings to an empty one. If it is interrupted, the next call continues."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model
from django.utils import timezone

from statuspage.common.data_folder import DataFolderError, make_private_file, set_mode
from statuspage.databases.tables import Checksum, checksum, insert, last_id, ordered_models, rows_of, set_last_id
from statuspage.notifications.models import Heartbeat

SOURCE, TARGET = "source", DEFAULT_DB_ALIAS
# Marks the target while the copy is incomplete.
MARKER = "candor_copy"
ENGINES = {"django.db.backends.sqlite3": "sqlite", "django.db.backends.postgresql": "postgresql"}
# Processes record a heartbeat every 10 seconds.
HEARTBEAT_WAIT = 12.0
RECENT = timedelta(seconds=30)

Say = Callable[[str], None]


class CopyError(Exception):
    """The copy is not possible, or not complete. Nothing was changed in the source."""


def is_incomplete_copy() -> bool:
    """Return whether a copy into the database of the settings was interrupted."""
    return MARKER in connections[DEFAULT_DB_ALIAS].introspection.table_names()


def without_password(url: str) -> str:
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}"


def target_config(url: str) -> dict[str, Any]:
    """Return Django's configuration of the database at `url`. Raise CopyError without the URL, which has a password."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning about an unknown engine would print the password
            config: dict[str, Any] = environ.Env.db_url_config(url)
    except ValueError:
        config = {}
    if config.get("ENGINE") not in ENGINES or not config.get("NAME"):
        raise CopyError("The URL after --to is not valid. Example: postgres://user:password@host/candor")
    if ENGINES[config["ENGINE"]] == "sqlite":
        _make_private(Path(config["NAME"]))
        config["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"}
    else:
        config.setdefault("OPTIONS", {}).setdefault("connect_timeout", 10)
    return config


def _make_private(file: Path) -> None:
    """Create the file, or let only its owner read it: it will contain the hashes of passwords and all secrets."""
    try:
        make_private_file(file)
        set_mode(file.resolve(), 0o600)
    except (DataFolderError, OSError) as error:
        raise CopyError(f"{file} cannot be used: {error}") from error


def copy_to(config: dict[str, Any], say: Say) -> int:
    """Copy all tables to the database of `config`, which becomes the default one. Return the number of rows."""
    _connect(config)
    _check_source(say)
    is_resumed = _prepare_target()
    before = _change_count()
    with _snapshot():
        sums = _copy_tables(say, is_resumed=is_resumed)
        _verify(sums, say)
        for model in sums:
            set_last_id(model, max(last_id(model, SOURCE), last_id(model, TARGET)), TARGET)
    if _change_count() != before:
        raise CopyError("The source was changed during the copy. Stop all processes of Candor and run this again.")
    connections[TARGET].check_constraints()
    with connections[TARGET].cursor() as cursor:
        cursor.execute(f"DROP TABLE {MARKER}")
    return sum(result.rows for result in sums.values())


def _connect(config: dict[str, Any]) -> None:
    """Make the database of the settings `source` and the target the default one, which migrations use."""
    own = connections.databases[DEFAULT_DB_ALIAS]
    options = dict(own.get("OPTIONS", {}))
    if ENGINES[own["ENGINE"]] == "sqlite":
        options["transaction_mode"] = "DEFERRED"  # a transaction that reads takes no lock that writers need
    if all(own.get(key) == config.get(key) for key in ("ENGINE", "NAME", "HOST", "PORT")):
        raise CopyError("The target is the database of DATABASE_URL itself.")
    connections[DEFAULT_DB_ALIAS].close()
    del connections[DEFAULT_DB_ALIAS]
    connections.databases[SOURCE] = {**own, "OPTIONS": options}
    connections.databases[TARGET] = {**own, "OPTIONS": {}, **config}


def _check_source(say: Say) -> None:
    executor = MigrationExecutor(connections[SOURCE])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CopyError("The source is not migrated to this version of Candor. Run: bin/manage setup")
    last = _last_heartbeat()
    if last and timezone.now() - last < RECENT:
        say(f"Checking for {HEARTBEAT_WAIT:.0f} seconds that all processes of Candor are stopped")
        deadline = time.monotonic() + HEARTBEAT_WAIT
        while time.monotonic() < deadline:
            if _last_heartbeat() != last:
                raise CopyError("Candor is running and writes to the source. Stop all its processes first.")
            time.sleep(0.25)


def _last_heartbeat() -> Any:
    return Heartbeat.objects.using(SOURCE).order_by("-at").values_list("at", flat=True).first()


def _change_count() -> int:
    """Return a number that changes when another connection commits a change of the source."""
    connection = connections[SOURCE]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA data_version")
        else:
            cursor.execute("SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables")
        return int(cursor.fetchone()[0])


def _prepare_target() -> bool:
    """Create all tables in an empty target. Return whether the target has an incomplete copy."""
    connection = connections[TARGET]
    tables = connection.introspection.table_names()
    is_resumed = MARKER in tables
    if tables and not is_resumed:
        raise CopyError("The target contains tables already. Create an empty database for the copy.")
    if not is_resumed:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {MARKER} (started_at varchar(40) NOT NULL)")
            cursor.execute(f"INSERT INTO {MARKER} VALUES (%s)", [timezone.now().isoformat()])  # noqa: S608 - a constant
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    return is_resumed


@contextlib.contextmanager
def _snapshot() -> Iterator[None]:
    """Read one state of the source, whatever others write meanwhile."""
    with transaction.atomic(using=SOURCE):
        if connections[SOURCE].vendor == "postgresql":
            with connections[SOURCE].cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _copy_tables(say: Say, *, is_resumed: bool) -> dict[type[Model], Checksum]:
    """Copy each table in a transaction. Tables that an earlier call copied completely are kept."""
    models, sums = ordered_models(), {}
    while is_resumed and models:
        expected = checksum(models[0], SOURCE)
        if checksum(models[0], TARGET) != expected:
            break
        model = models.pop(0)
        sums[model] = expected
        say(f"{model._meta.db_table}: {expected.rows:,} rows, copied before")
    # Migrations create rows, and an interrupted call leaves some.
    connection = connections[TARGET]
    tables = [model._meta.db_table for model in models]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables) if tables else [])
    for model in models:
        try:
            with transaction.atomic(using=TARGET):
                sums[model] = insert(model, rows_of(model, SOURCE), TARGET)
        except ValueError as error:
            raise CopyError(f"{model._meta.db_table}: {error}") from error
        say(f"{model._meta.db_table}: {sums[model].rows:,} rows")
    return sums


def _verify(sums: dict[type[Model], Checksum], say: Say) -> None:
    say("Comparing checksums")
    wrong = [model._meta.db_table for model, expected in sums.items() if checksum(model, TARGET) != expected]
    if wrong:
        raise CopyError(f"These tables differ from the source: {', '.join(wrong)}. Run this again.")
