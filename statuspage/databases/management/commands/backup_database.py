import contextlib
import os
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from statuspage.common.data_folder import make_private_folder


def new_draft(file: Path) -> Path:
    """Create a file beside `file` that only its owner can read.

    It has a random name and is always new: others may write to the folder, and could have created a file or a link.
    """
    make_private_folder(file.parent)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    os.close(handle)
    return Path(name)


class Command(BaseCommand):
    help = "Writes a consistent copy of the SQLite database to a file, also while Candor is running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        if connection.vendor != "sqlite":
            raise CommandError("This is for SQLite. Back up PostgreSQL with pg_dump (docs/operating.md).")
        if file.exists():
            raise CommandError(f"{file} exists. Choose another name.")
        draft: Path | None = None
        try:
            draft = new_draft(file)
            self._write(draft)
            # A hard link fails if the file was created meanwhile.
            file.hardlink_to(draft)
        except (OSError, sqlite3.Error) as error:
            raise CommandError(f"{file} cannot be written: {error}") from error
        finally:
            if draft:
                draft.unlink(missing_ok=True)
        self.stdout.write(f"{file}: {file.stat().st_size:,} bytes")

    def _write(self, draft: Path) -> None:
        connection.ensure_connection()
        with contextlib.closing(sqlite3.connect(draft)) as copy:
            connection.connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise CommandError(f"The database is damaged: {verdict}")
