import contextlib
import fcntl
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseTrouble

from statuspage.common.data_folder import make_private_file
from statuspage.databases.copying import CopyError, copy_to, target_config, without_password


class Command(BaseCommand):
    help = (
        "Copies all data to another, empty database (PostgreSQL or SQLite) and compares checksums. Stop Candor first."
        " If the copy is interrupted, run the command again."
    )
    # The target need not exist yet when the checks run.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", required=True, metavar="URL", help="postgres://user:password@host/database")

    def handle(self, *_args: Any, to: str, **_options: Any) -> None:
        try:
            config = target_config(to)
            with alone():
                rows = copy_to(config, self._say)
        except (CopyError, DatabaseTrouble) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Copied and verified {rows:,} rows to {without_password(to)}.")
        self.stdout.write("Now set DATABASE_URL to the new database and start Candor.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Refuse a second copy at the same time."""
    lock = settings.RUN_DIR / "copy_database.lock"
    make_private_file(lock)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CopyError("Another copy is running.") from error
        yield
