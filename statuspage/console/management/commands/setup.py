import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from incidents.actions.pages.incident_templates import create_built_in_templates
from incidents.actions.pages.page_settings import create_page
from incidents.actor import SYSTEM
from incidents.models import Page
from statuspage.accounts.models import User
from statuspage.common.data_folder import DataFolderError, make_private_file, repair_modes, set_mode
from statuspage.databases.copying import is_incomplete_copy
from statuspage.notifications.models import Installation
from statuspage.publishing import identity
from statuspage.publishing.identity import Verdict

OWNER = "owner@localhost"
# What `os.EX_TEMPFAIL` is where there is one: it may work later. The supervisor knows it.
DATABASE_AWAY = 75
ADVISORY_LOCK = 7_262_367  # any number, the same in every process


class Command(BaseCommand):
    help = "Update the database and static files. On the first run, also create the owner and a page (the demo)."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            repair_files()
        except DataFolderError as error:
            raise CommandError(str(error)) from error
        try:
            connection.ensure_connection()
        except OperationalError as error:
            # Static files need no database, and the published page needs them.
            collect_static()
            raise CommandError(f"The database does not respond: {error}", returncode=DATABASE_AWAY) from error
        if is_incomplete_copy():
            raise CommandError("The copy into this database is not complete. Run the same copy_database command again.")
        with one_at_a_time():
            call_command("migrate", interactive=False, verbosity=0)
            call_command("createcachetable", verbosity=0)
            collect_static()
            if identity.check() in {Verdict.KEPT, Verdict.UNDECIDED}:
                self.stdout.write(f"candor: {Installation.objects.current().reason}")
                return
            if not Page.objects.exists():
                self.create_page_or_demo()
            if not User.objects.exists():
                self.create_owner()

    def create_page_or_demo(self) -> None:
        if not settings.PAGE_NAME:
            call_command("seed_demo", stdout=self.stdout)
            return
        try:
            page = create_page(name=settings.PAGE_NAME, time_zone=settings.PAGE_TIME_ZONE, actor=SYSTEM)
            create_built_in_templates(page, actor=SYSTEM)
        except ValidationError as error:
            raise CommandError(f"PAGE_NAME or PAGE_TIME_ZONE: {' '.join(error.messages)}") from error

    def create_owner(self) -> None:
        user, password = User.objects.create_first_owner(OWNER)
        self.stdout.write(
            f"\n  Sign in at {settings.SITE_URL}/console/\n"
            f"    email     {user.email}\n"
            f"    password  {password}\n"
            "  This password is shown only once. Change it after signing in.\n"
        )


def repair_files() -> None:
    """Make the SQLite database readable for its owner only, and repair the modes of all files in the data folder."""
    repair_modes(settings.DATA_DIR)
    if connection.vendor == "sqlite":
        database = Path(connection.settings_dict["NAME"])
        if database.parent.exists():
            # SQLite gives its -wal and -shm files the mode of the database.
            make_private_file(database)
            for suffix in ("", "-wal", "-shm"):
                set_mode(Path(f"{database}{suffix}"), 0o600)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two starts at once, on one machine or against one PostgreSQL, take turns; the second finds nothing left to do."""
    lock = settings.RUN_DIR / "setup.lock"
    make_private_file(lock)
    with lock.open("w") as file:
        # Before the database is opened: a new SQLite file lets nobody in while it changes to WAL, and no timeout helps.
        fcntl.flock(file, fcntl.LOCK_EX)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Held until this connection closes, which is when the command ends.
                cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        yield


def collect_static() -> None:
    """Hashing and compressing takes longer than all the rest, so it is done only when a source file changed."""
    # Not in STATIC_ROOT: whatever lies there is public.
    stamp = settings.RUN_DIR / "static.sources"
    wanted = "\n".join(static_sources())
    if settings.STATIC_ROOT.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    make_private_file(stamp)
    stamp.write_text(wanted, encoding="utf-8")


def static_sources() -> list[str]:
    paths = (storage.path(name) for finder in get_finders() for name, storage in finder.list([]))
    return [describe(path) for path in sorted(paths)]


def describe(path: str) -> str:
    status = Path(path).stat()
    return f"{path} {status.st_mtime_ns} {status.st_size}"
