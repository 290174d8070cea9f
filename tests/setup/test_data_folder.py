"""private/ is readable by its owner only, public/ by everyone, whatever the umask and the version that wrote them."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from statuspage.common.data_folder import DataFolderError, prepare, repair_modes
from tests.live import Candor

pytestmark = pytest.mark.xdist_group("setup")


@pytest.fixture
def candor(tmp_path: Path) -> Candor:
    """Nothing is set up yet."""
    return Candor(tmp_path, env={"PAGE_NAME": "Acme"}, is_prepared=False)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def wrong_modes(folder: Path, *, folders: int, files: int) -> list[str]:
    """Return the entries of `folder`, and the folder itself, with another mode."""
    entries = [entry for entry in (folder, *folder.rglob("*")) if not entry.is_symlink()]
    return [f"{entry} {mode(entry):o}" for entry in entries if mode(entry) != (folders if entry.is_dir() else files)]


def flat_install(data: Path) -> None:
    """What an earlier version left: a database with its log, a key, an email, a published page, static files."""
    for folder in ("mail", "published/abc", "static", "joined/css"):
        (data / folder).mkdir(parents=True)
    (data / "secret_key").write_text("k" * 50)
    (data / "mail/1.eml").write_text("To: ann@example.com")
    (data / "published/abc/index.html").write_text("<h1>")
    (data / "static/a.css").write_text("a{}")
    (data / "static.sources").write_text("x")
    script = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA journal_mode=WAL'); c.execute('CREATE TABLE t (n)'); c.execute('INSERT INTO t VALUES (7)');"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(data / "candor.sqlite3")], check=True)
    assert (data / "candor.sqlite3-wal").stat().st_size


def number(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        return int(connection.execute("SELECT n FROM t").fetchone()[0])
    finally:
        connection.close()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_set_up_and_publishing_give_the_same_modes_under_every_umask(candor: Candor, umask: int) -> None:
    before = os.umask(umask)
    try:
        candor.manage("setup")
        candor.manage("publish")
    finally:
        os.umask(before)
    data = candor.folder / "data"
    assert wrong_modes(data / "private", folders=0o700, files=0o600) == []
    assert wrong_modes(data / "public", folders=0o755, files=0o644) == []
    assert mode(data) == 0o755
    assert sorted(entry.name for entry in data.iterdir()) == ["private", "public"]


def test_the_next_start_repairs_wrong_modes(candor: Candor) -> None:
    candor.manage("setup")
    data = candor.folder / "data"
    for place in ("private", "private/candor.sqlite3", "private/secret_key"):
        (data / place).chmod(0o777)
    candor.manage("check")
    assert [mode(data / place) for place in ("private", "private/candor.sqlite3", "private/secret_key")] == [
        *(0o700, 0o600, 0o600),
    ]
    (data / "private/mail").mkdir(mode=0o755)
    (data / "public/static/staticfiles.json").chmod(0o600)
    candor.manage("setup")
    assert wrong_modes(data / "private", folders=0o700, files=0o600) == []
    assert wrong_modes(data / "public", folders=0o755, files=0o644) == []


def test_a_database_elsewhere_is_readable_for_its_owner_only(candor: Candor, tmp_path: Path) -> None:
    candor.env["DATABASE_URL"] = f"sqlite:///{tmp_path}/other.sqlite3"
    candor.manage("setup")
    assert {mode(file) for file in tmp_path.glob("other.sqlite3*")} == {0o600}


def test_the_files_of_an_earlier_version_move_once_and_nothing_is_lost(tmp_path: Path) -> None:
    flat_install(tmp_path)
    prepare(tmp_path, moves_database=True)
    prepare(tmp_path, moves_database=True)
    repair_modes(tmp_path)
    assert number(tmp_path / "private/candor.sqlite3") == 7
    assert (tmp_path / "private/secret_key").read_text() == "k" * 50
    assert (tmp_path / "private/mail/1.eml").exists()
    assert (tmp_path / "public/static/a.css").read_text() == "a{}"
    assert wrong_modes(tmp_path / "private", folders=0o700, files=0o600) == []
    # A web server that is configured for the earlier places still finds its files.
    assert (tmp_path / "published/abc/index.html").read_text() == "<h1>"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["private", "public", "published", "static"]


def test_a_database_that_is_open_is_not_moved_and_neither_is_anything_else(tmp_path: Path) -> None:
    flat_install(tmp_path)
    connection = sqlite3.connect(tmp_path / "candor.sqlite3")
    connection.execute("SELECT n FROM t").fetchone()
    try:
        with pytest.raises(DataFolderError, match="is in use"):
            prepare(tmp_path, moves_database=True)
    finally:
        connection.close()
    assert (tmp_path / "secret_key").exists()
    prepare(tmp_path, moves_database=True)
    assert number(tmp_path / "private/candor.sqlite3") == 7


@pytest.mark.parametrize("name", ["candor.sqlite3", "secret_key", "mail"])
def test_when_both_layouts_hold_the_same_thing_nothing_is_moved(tmp_path: Path, name: str) -> None:
    flat_install(tmp_path)
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / name).touch()
    with pytest.raises(DataFolderError, match=f"Both .*{name} and .*private/{name} exist"):
        prepare(tmp_path, moves_database=True)
    assert (tmp_path / "published/abc").is_dir()
    assert not (tmp_path / "public/published").exists()


def test_a_database_named_in_database_url_stays_where_it_is(tmp_path: Path) -> None:
    flat_install(tmp_path)
    prepare(tmp_path, moves_database=False)
    assert number(tmp_path / "candor.sqlite3") == 7
    assert (tmp_path / "private/secret_key").exists()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "candor.sqlite3").write_text("no database " * 100)
    with pytest.raises(DataFolderError, match="cannot be moved"):
        prepare(tmp_path, moves_database=True)


def test_a_data_folder_that_cannot_be_used_is_one_line(candor: Candor) -> None:
    candor.env["DATA_DIR"] = "/dev/null/data"
    with pytest.raises(AssertionError) as failed:
        candor.manage("check")
    assert str(failed.value).splitlines()[0] == (
        "candor: DATA_DIR: /dev/null/data cannot be used: Not a directory. See docs/settings.md."
    )
