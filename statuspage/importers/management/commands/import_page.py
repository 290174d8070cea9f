from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents.models import Page
from statuspage.importers.archive import Reader
from statuspage.importers.atlassian.api_source import API_URL
from statuspage.importers.errors import SourceError
from statuspage.importers.fetching import DEFAULT_RATE
from statuspage.importers.pages import page_with_code
from statuspage.importers.progress import Bar
from statuspage.importers.registry import FROM_FILES, source_of
from statuspage.importers.report import Report
from statuspage.importers.run import Options, run_import
from statuspage.importers.sqlite_pragmas import quick_commits

SOURCES = ("statuspage", "cachet", "uptime-kuma", "csv", "candor")
NOT_ALL = 3


class Command(BaseCommand):
    help = (
        "Bring a page from another product, with its history; nobody is told. Safe to run again: it brings what is new."
        " Exit code 0: all of it; 3: some was skipped or altered, each with its reason; 1: nothing could be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", choices=SOURCES)
        parser.add_argument("file", nargs="?", type=Path, help=f"of {', '.join(FROM_FILES)}")
        public = parser.add_argument_group("statuspage, without a key")
        public.add_argument("--from-public", metavar="URL", help="like https://status.example.com")
        keyed = parser.add_argument_group("statuspage, with its owner's key: subscribers, drafts and switches too")
        keyed.add_argument("--api-key", metavar="KEY", help="- reads it from standard input")
        keyed.add_argument("--page-id", metavar="ID")
        keyed.add_argument("--api-url", metavar="URL", default=API_URL)
        cachet = parser.add_argument_group("cachet")
        cachet.add_argument("--url", help="like https://cachet.example.com")
        cachet.add_argument("--token", help="of Cachet 2, to bring its subscribers; - reads it from standard input")
        parser.add_argument("--into", metavar="CODE", help="an own page's code; without it, the page keeps its code")
        parser.add_argument("--rate", type=float, default=DEFAULT_RATE, help="seconds between two calls; default 1")
        parser.add_argument("--time-zone", default="Etc/UTC", help="of times that have none (cachet, csv)")
        parser.add_argument("--dry-run", action="store_true", help="read everything, write nothing")
        parser.add_argument("--again", action="store_true", help="ask again for old incidents that are here already")

    def handle(self, *args: Any, **options: Any) -> None:
        bar = Bar(self.stderr, enabled=sys.stderr.isatty())
        report = Report(bar.around(self.stdout.write))
        into = page_with_code(options["into"]) if options["into"] else None
        try:
            with quick_commits():
                page = _move(options, into, report, bar)
        except SourceError as error:
            raise CommandError(f"{error}.") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. What has come over stays; run it again to go on.", returncode=130) from None
        finally:
            bar.clear()
            if report.counts:
                self.stdout.write(report.table())
        dry = "Nothing was written: this was a dry run."
        self.stdout.write(dry if options["dry_run"] else f"“{page}” has the code {page.public_id}.")
        if not report.is_clean:
            raise CommandError("Not all came over as it was: the lines above name each case.", returncode=NOT_ALL)


def _move(options: dict[str, Any], into: Page | None, report: Report, bar: Bar) -> Page:
    if options["source"] == "candor":
        return _restored(options, report, bar)
    choice = Options(into, dry=options["dry_run"], again=options["again"])
    return run_import(source_of(options, report), choice, bar.show)


def _restored(options: dict[str, Any], report: Report, bar: Bar) -> Page:
    if options["file"] is None:
        raise CommandError("Name the file: import_page candor FILE.")
    if options["dry_run"] or options["into"]:
        raise CommandError("A page of Candor keeps its code, and is read for good: --into and --dry-run do not go.")
    return Reader(options["file"], report, bar.show).restore()
