"""A copied database has every row, continues with the next IDs, and sends nothing twice."""

import json
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from statuspage.databases.copying import CopyError, target_config, without_password
from statuspage.databases.management.commands.backup_database import new_draft
from tests.live import Candor
from tests.servers import Postgres, wait_until
from tests.smtp_sink_process import FastSink

# One process of a parallel run takes them all.
pytestmark = pytest.mark.xdist_group("setup")

PASSWORD = "secret-of-the-database"
# Rows that databases represent differently, and a deleted row with the highest ID.
STORY = """
from tests.factories import *
from statuspage.notifications.models import MailTest
page = Page.objects.get()
for number in range({subscribers}):
    make_subscriber(page, f"reader{{number}}@example.com")
make_endpoint(page, "https://hooks.example.com/a")
make_user("owner", email="ann@example.org")
make_series(page)
make_incident(page, body="Ünïcode “text” 🟢")
resolved = make_resolved(page)
MailTest.objects.create(page=page, to="a@example.org", steps=[{{"b": 1.0, "a": [None, True, "ü"]}}])
resolved.metadata = {{"z": 1, "a": {{"y": 2.5, "x": "é"}}}}
resolved.save(update_fields=["metadata"])
make_incident(page).delete()
page.events.order_by("-pk").first().delete()
"""
LAST_ID = "from tests.factories import *; print(make_incident(Page.objects.get()).pk)"
STATE = (
    "import json; from statuspage.databases.tables import *;"
    "print(json.dumps({m._meta.db_table: str(checksum(m, 'default')) for m in ordered_models()}))"
)


@pytest.fixture
def source(candor: Candor) -> Candor:
    candor.env["PAGE_NAME"] = "Acme"
    candor.manage("setup")
    return candor


def shell(candor: Candor, code: str) -> str:
    return candor.manage("shell", "--no-imports", "-c", code).strip()


def fill(candor: Candor, *, subscribers: int = 20) -> None:
    shell(candor, STORY.format(subscribers=subscribers))


def state(candor: Candor) -> dict[str, str]:
    tables: dict[str, str] = json.loads(shell(candor, STATE))
    return tables


def with_password(url: str) -> str:
    return url.replace("postgres@", f"postgres:{PASSWORD}@")


def kill_copy_after(source: Candor, table: str, url: str) -> None:
    """Start a copy and kill it when it has copied `table`."""
    log = source.folder / "candor.log"
    log.unlink(missing_ok=True)
    process = source.start("copy", "manage.py", "copy_database", "--to", url)
    wait_until(lambda: f"{table}: " in source.log, f"{table} is copied", seconds=120)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_everything_arrives_at_postgresql_and_comes_back(
    source: Candor, postgres_server: Postgres, tmp_path: Path
) -> None:
    fill(source)
    before, url = state(source), postgres_server.create("everything")
    printed = source.manage("copy_database", "--to", with_password(url))
    assert PASSWORD not in printed
    assert f"rows to {url}" in printed
    source.env["DATABASE_URL"] = url
    assert state(source) == before
    with psycopg.connect(url) as connection:
        options = connection.execute("SELECT reloptions FROM pg_class WHERE relname = 'notifications_delivery'")
        assert "autovacuum" in str(options.fetchone())
        assert connection.execute("SELECT to_regclass('candor_copy')").fetchone() == (None,)
    back = tmp_path / "back.sqlite3"
    source.manage("copy_database", "--to", f"sqlite:///{back}")
    assert back.stat().st_mode & 0o777 == 0o600
    source.env["DATABASE_URL"] = f"sqlite:///{back}"
    assert state(source) == before


def test_ids_of_deleted_rows_are_not_given_again(source: Candor, postgres_server: Postgres, tmp_path: Path) -> None:
    fill(source, subscribers=1)
    deleted = int(shell(source, "from incidents.models import *; print(Incident.objects.order_by('-pk')[0].pk + 1)"))
    url = postgres_server.create("ids")
    source.manage("copy_database", "--to", url)
    source.env["DATABASE_URL"] = url
    source.manage("copy_database", "--to", f"sqlite:///{tmp_path}/back.sqlite3")
    assert int(shell(source, LAST_ID)) == deleted + 1
    source.env["DATABASE_URL"] = f"sqlite:///{tmp_path}/back.sqlite3"
    assert int(shell(source, LAST_ID)) == deleted + 1


def test_a_copy_that_was_killed_is_continued_without_doubles(source: Candor, postgres_server: Postgres) -> None:
    fill(source, subscribers=3_000)
    before, url = state(source), postgres_server.create("killed")
    for table in ("incidents_page", "subscribers_subscriber"):
        kill_copy_after(source, table, url)
    source.env["DATABASE_URL"] = url
    with pytest.raises(AssertionError, match="The copy into this database is not complete"):
        source.manage("setup")
    del source.env["DATABASE_URL"]
    printed = source.manage("copy_database", "--to", url)
    assert "incidents_page: 1 rows, copied before" in printed
    source.env["DATABASE_URL"] = url
    assert state(source) == before


def test_a_change_between_two_attempts_is_copied(source: Candor, postgres_server: Postgres) -> None:
    url = postgres_server.create("changed")
    kill_copy_after(source, "incidents_page", url)
    shell(source, "from incidents.models import Page; Page.objects.update(name='Other')")
    before = state(source)
    source.manage("copy_database", "--to", url)
    source.env["DATABASE_URL"] = url
    assert state(source) == before


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_database_with_other_tables_is_refused_and_not_changed(
    source: Candor, postgres_server: Postgres, tmp_path: Path, database: str
) -> None:
    statement = "CREATE TABLE other (n integer)"
    if database == "sqlite":
        url = f"sqlite:///{tmp_path}/other.sqlite3"
        with closing(sqlite3.connect(tmp_path / "other.sqlite3")) as connection:
            connection.execute(statement)
    else:
        url = postgres_server.create("other")
        with psycopg.connect(url) as server:
            server.execute(statement)
    for _ in range(2):
        with pytest.raises(AssertionError, match="The target contains tables already"):
            source.manage("copy_database", "--to", url)


def test_a_finished_copy_is_not_overwritten(source: Candor, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/copy.sqlite3"
    source.manage("copy_database", "--to", url)
    with pytest.raises(AssertionError, match="The target contains tables already"):
        source.manage("copy_database", "--to", url)


def test_the_copy_is_refused_while_candor_runs(source: Candor, tmp_path: Path) -> None:
    source.start_dispatcher()
    heartbeat = "from statuspage.notifications.models import Heartbeat; print(Heartbeat.objects.exists())"
    wait_until(lambda: shell(source, heartbeat) == "True", "the dispatcher runs")
    with pytest.raises(AssertionError, match="Candor is running and writes to the source"):
        source.manage("copy_database", "--to", f"sqlite:///{tmp_path}/copy.sqlite3")
    assert not (tmp_path / "copy.sqlite3").exists() or not (tmp_path / "copy.sqlite3").stat().st_size


def test_the_copy_sends_what_waits_once_and_nothing_that_was_sent(
    source: Candor, postgres_server: Postgres, fast_sink: FastSink
) -> None:
    source.env["EMAIL_URL"] = fast_sink.url
    add = "from tests.factories import *; page = Page.objects.get(); [make_subscriber(page) for _ in range(5)]"
    shell(source, add + "; make_incident(page)")
    source.manage("dispatch", "--drain")
    source.manage("publish")
    shell(source, "from tests.factories import *; post(Incident.objects.get())")
    url = postgres_server.create("sends")
    shell(source, "from statuspage.notifications.models import Heartbeat; Heartbeat.objects.all().delete()")
    source.manage("copy_database", "--to", url)
    source.env["DATABASE_URL"] = url
    source.manage("dispatch", "--drain")
    source.manage("dispatch", "--drain")
    source.manage("publish")
    sent = fast_sink.stat()
    assert (sent["mails"], sent["readers"], sent["ids"]) == (10, 5, 10)


def test_an_invalid_url_is_refused_without_its_password() -> None:
    for url in (f"mysql://u:{PASSWORD}@h/d", f"nonsense:{PASSWORD}", "", f"postgres://u:{PASSWORD}@h"):
        with pytest.raises(CopyError) as refused:
            target_config(url)
        assert PASSWORD not in str(refused.value)
    assert without_password(f"postgres://u:{PASSWORD}@h:5433/d?sslmode=require") == "postgres://u@h:5433/d"


def test_only_its_owner_can_read_a_copy_even_if_the_file_existed(tmp_path: Path) -> None:
    file = tmp_path / "copy.sqlite3"
    file.touch(mode=0o644)
    target_config(f"sqlite:///{file}")
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_draft_of_a_backup_is_a_new_file_that_nobody_can_predict(tmp_path: Path) -> None:
    """In a folder where others may write, a link under its name would give them the database."""
    drafts = [new_draft(tmp_path / "backup.sqlite3") for _ in range(2)]
    assert drafts[0] != drafts[1]
    assert {draft.stat().st_mode & 0o777 for draft in drafts} == {0o600}


def test_a_database_in_use_is_backed_up_with_all_committed_rows(source: Candor, tmp_path: Path) -> None:
    database, backup = source.folder / "data/private/candor.sqlite3", tmp_path / "backup.sqlite3"
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("UPDATE incidents_page SET name = 'Committed'")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE incidents_page SET name = 'Not committed'")
        source.manage("backup_database", str(backup))
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("SELECT name FROM incidents_page").fetchone() == ("Committed",)
    assert backup.stat().st_mode & 0o777 == 0o600
    with pytest.raises(AssertionError, match="Choose another name"):
        source.manage("backup_database", str(backup))
    assert list(tmp_path.glob(".backup*")) == []


def test_a_backup_of_postgresql_names_the_right_program(candor: Candor, postgres_server: Postgres) -> None:
    candor.env["DATABASE_URL"] = postgres_server.url()
    with pytest.raises(AssertionError, match="pg_dump"):
        candor.manage("backup_database", "/tmp/never.sqlite3")
    assert subprocess.run(["test", "-e", "/tmp/never.sqlite3"], check=False).returncode == 1
