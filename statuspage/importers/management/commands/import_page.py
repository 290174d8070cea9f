from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents.models import Page
from statuspage.importers.archive import ArchiveReader
from statuspage.importers.atlassian.api_source import API_URL
from statuspage.importers.errors import SourceError
from statuspage.importers.fetching import DEFAULT_RATE
from statuspage.importers.find_page import page_with_public_id
from statuspage.importers.progress import ProgressBar
from statuspage.importers.registry import FROM_FILES, source_of
from statuspage.importers.report import ImportReport
from statuspage.importers.run import ImportOptions, run_import
from statuspage.importers.sqlite_pragmas import fast_commits

SOURCES = ("statuspage", "cachet", "uptime-kuma", "csv", "candor")
INCOMPLETE = 3


class Command(BaseCommand):
    help = (
        "Import a page and its history from another product. No notifications are sent. If you run it again, it adds"
        " what is new. Exit code 0: everything was imported; 3: something was skipped or changed, with a message for"
        " each case; 1: nothing could be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", choices=SOURCES)
        parser.add_argument("file", nargs="?", type=Path, help=f"for {', '.join(FROM_FILES)}")
        public = parser.add_argument_group("statuspage, without a key")
        public.add_argument("--from-public", metavar="URL", help="example: https://status.example.com")
        keyed = parser.add_argument_group("statuspage, with the owner's key: includes subscribers, drafts and settings")
        keyed.add_argument("--api-key", metavar="KEY", help="- reads the key from standard input")
        keyed.add_argument("--page-id", metavar="ID")
        keyed.add_argument("--api-url", metavar="URL", default=API_URL)
        cachet = parser.add_argument_group("cachet")
        cachet.add_argument("--url", help="example: https://cachet.example.com")
        cachet.add_argument(
            "--token", help="imports the subscribers of Cachet 2; - reads the token from standard input"
        )
        parser.add_argument("--into", metavar="ID", help="the ID of an existing page; by default the page keeps its ID")
        parser.add_argument("--rate", type=float, default=DEFAULT_RATE, help="seconds between two requests; default 1")
        parser.add_argument("--time-zone", default="Etc/UTC", help="for times without a time zone (cachet, csv)")
        parser.add_argument("--dry-run", action="store_true", help="read everything, but write nothing")
        parser.add_argument("--again", action="store_true", help="read resolved incidents again")

    def handle(self, *args: Any, **options: Any) -> None:
        bar = ProgressBar(self.stderr) if sys.stderr.isatty() else None
        report = ImportReport(self.stdout.write, bar)
        into = page_with_public_id(options["into"]) if options["into"] else None
        try:
            with fast_commits():
                page = _import(options, into, report)
        except SourceError as error:
            raise CommandError(f"{error}.") from error
        except KeyboardInterrupt:
            message = "Stopped. Everything imported so far is kept; run the command again to continue."
            raise CommandError(message, returncode=130) from None
        finally:
            report.print_table()
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was written.")
        else:
            self.stdout.write(f"Imported into “{page}” ({page.public_id}).")
        if report.problems:
            raise CommandError("Not everything was imported unchanged: see the messages above.", returncode=INCOMPLETE)


def _import(options: dict[str, Any], into: Page | None, report: ImportReport) -> Page:
    if options["source"] == "candor":
        return _restore(options, report)
    return run_import(source_of(options, report), ImportOptions(into, dry=options["dry_run"], again=options["again"]))


def _restore(options: dict[str, Any], report: ImportReport) -> Page:
    if options["file"] is None:
        raise CommandError("Enter the file: import_page candor FILE.")
    if options["dry_run"] or options["into"]:
        raise CommandError("--into and --dry-run cannot be used with candor: the page keeps its ID.")
    return ArchiveReader(options["file"], report).restore()
