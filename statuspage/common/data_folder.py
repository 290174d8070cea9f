"""The layout of DATA_DIR, its file modes, and the move from the layout of earlier versions.

    private/   0700, files 0600: candor.sqlite3, secret_key, mail/, run/. Only the user of the services can read it.
    public/    0755, files 0644: published/, static/. A web server can read it.

Uses only the standard library, because the settings call it before Django is configured.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

PRIVATE, PUBLIC = "private", "public"
DATABASE = "candor.sqlite3"
# Where the entries of the earlier, flat layout are now.
MOVED = {"secret_key": PRIVATE, DATABASE: PRIVATE, "mail": PRIVATE, "published": PUBLIC, "static": PUBLIC}
# Made again if they are missing.
DROPPED = ("joined", "static.sources", "setup.lock")
# The configuration of a web server may still name these.
LINKED = ("published", "static")


class DataFolderError(Exception):
    """The folder cannot be used. The message is one line for the operator."""


def prepare(data: Path, *, moves_database: bool) -> None:
    """Create the folders of `data`, move the flat layout of an earlier version, and repair the modes of secrets.

    `moves_database`: whether the SQLite database of the flat layout is moved. Raises DataFolderError.
    """
    # Independent of who starts Candor: everything outside of private/ must be readable for a web server.
    os.umask(0o022)
    try:
        data.mkdir(parents=True, exist_ok=True)
        with _locked(data):
            for name, mode in ((PRIVATE, 0o700), (f"{PRIVATE}/run", 0o700), (PUBLIC, 0o755)):
                (data / name).mkdir(mode=mode, exist_ok=True)
                set_mode(data / name, mode)
            _move_flat_layout(data, moves_database=moves_database)
            for file in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "secret_key"):
                set_mode(data / PRIVATE / file, 0o600)
    except OSError as error:
        place = error.filename or data
        raise DataFolderError(f"DATA_DIR: {place} cannot be used: {error.strerror}. See docs/settings.md.") from error


def repair_modes(data: Path) -> None:
    """Set the modes of everything in the two folders. Raises DataFolderError if something belongs to another user."""
    for folder, folder_mode, file_mode in ((PRIVATE, 0o700, 0o600), (PUBLIC, 0o755, 0o644)):
        for root, folders, files in os.walk(data / folder):
            for name in folders:
                set_mode(Path(root, name), folder_mode)
            for name in files:
                set_mode(Path(root, name), file_mode)


def set_mode(path: Path, mode: int) -> None:
    """Change the mode if it differs. Links and missing files are left alone."""
    with contextlib.suppress(FileNotFoundError):
        current = path.lstat().st_mode
        if stat.S_ISLNK(current) or stat.S_IMODE(current) == mode:
            return
        try:
            path.chmod(mode)
        except PermissionError as error:
            command = f"chmod {mode:o} {path}"
            raise DataFolderError(
                f"{path} has mode {stat.S_IMODE(current):o} and belongs to another user. Run as root: {command}"
            ) from error


def make_private_file(path: Path) -> None:
    """Create an empty file that only its owner can read, unless it exists."""
    make_private_folder(path.parent)
    path.touch(mode=0o600)


def make_private_folder(path: Path) -> None:
    """Create a folder, and its missing parents, that only their owner can enter."""
    if not path.exists():
        make_private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


@contextlib.contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Let processes that start at the same time take turns."""
    handle = os.open(data, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _move_flat_layout(data: Path, *, moves_database: bool) -> None:
    """Each entry moves with one rename, so an interrupted move continues at the next start."""
    old = {name: data / name for name in MOVED if (data / name).exists() and not (data / name).is_symlink()}
    if not moves_database:
        old.pop(DATABASE, None)
    for name, path in old.items():
        new = data / MOVED[name] / name
        if new.exists():
            raise DataFolderError(
                f"Both {path} and {new} exist. Stop Candor, keep the one with your data at {new}, and move the other "
                f"out of {data}."
            )
    # First what may be refused.
    if DATABASE in old:
        _close_database(old[DATABASE])
    for name, path in sorted(old.items(), key=lambda entry: entry[0] != DATABASE):
        _rename(path, data / MOVED[name] / name)
        if name in LINKED:
            path.symlink_to(Path(PUBLIC, name))
    for name in DROPPED:
        if (data / name).is_dir():
            shutil.rmtree(data / name)
        else:
            (data / name).unlink(missing_ok=True)


def _close_database(path: Path) -> None:
    """Write the log of the database (-wal) into its file. SQLite permits this only while nobody else has it open."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise DataFolderError(f"{path} cannot be moved to {path.parent / PRIVATE}: {error}.") from error
        raise DataFolderError(
            f"{path} is in use. Stop all processes of Candor, then start it again: its files move to "
            f"{path.parent / PRIVATE} once."
        ) from error
    except sqlite3.DatabaseError as error:
        raise DataFolderError(f"{path} cannot be moved to {path.parent / PRIVATE}: {error}.") from error


def _rename(old: Path, new: Path) -> None:
    try:
        old.rename(new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # public/ may be a volume of its own. What is copied halfway has another name.
        part = new.with_name(f".{new.name}.part")
        if part.is_dir():
            shutil.rmtree(part)
        if old.is_dir():
            shutil.copytree(old, part, symlinks=True)
        else:
            shutil.copy2(old, part)
        part.rename(new)
        shutil.rmtree(old) if old.is_dir() else old.unlink()
