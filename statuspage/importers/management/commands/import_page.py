from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents.models import Page
from incidents.models.pages import validate_time_zone
from statuspage.importers.archive import Reader
from statuspage.importers.atlassian.keyed import API_URL, KeyedSource
from statuspage.importers.atlassian.public import PublicSource
from statuspage.importers.cachet import CachetSource
from statuspage.importers.commits import quick_commits
from statuspage.importers.fetching import DEFAULT_RATE, Fetcher, SourceError
from statuspage.importers.moving import Options, Source, move_in
from statuspage.importers.progress import Bar
from statuspage.importers.report import Report
from statuspage.importers.sheet import SheetSource
from statuspage.importers.uptime_kuma import UptimeKumaSource

SOURCES = ("statuspage", "cachet", "uptime-kuma", "csv", "candor")
FROM_FILES = ("uptime-kuma", "csv", "candor")
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
        into = _page(options["into"])
        try:
            with quick_commits():
                page = self._move(options, into, report, bar)
        except SourceError as error:
            bar.clear()
            raise CommandError(f"{error}.") from error
        finally:
            bar.clear()
            if report.counts:
                self.stdout.write(report.table())
        did = (
            "Nothing was written: this was a dry run."
            if options["dry_run"]
            else f"“{page}” has the code {page.public_id}."
        )
        self.stdout.write(did)
        if not report.is_clean:
            raise CommandError("Not all came over as it was: the lines above name each case.", returncode=NOT_ALL)

    def _move(self, options: dict[str, Any], into: Page | None, report: Report, bar: Bar) -> Page:
        if options["source"] == "candor":
            return _restored(options, report, bar)
        source = _source(options, report)
        return move_in(source, Options(into, dry=options["dry_run"], again=options["again"]), bar.show)


def _restored(options: dict[str, Any], report: Report, bar: Bar) -> Page:
    if options["file"] is None:
        raise CommandError("Name the file: import_page candor FILE.")
    if options["dry_run"] or options["into"]:
        raise CommandError("A page of Candor keeps its code, and is read for good: --into and --dry-run do not go.")
    return Reader(options["file"], report, bar.show).restore()


def _source(options: dict[str, Any], report: Report) -> Source:
    kind, file = options["source"], options["file"]
    if kind in FROM_FILES and file is None:
        raise CommandError(f"Name the file: import_page {kind} FILE.")
    if kind == "csv":
        return SheetSource(file, report, name=file.name, zone=_zone(options))
    if kind == "uptime-kuma":
        return UptimeKumaSource(file, report, name=file.name)
    if kind == "cachet":
        return _cachet(options, report)
    return _statuspage(options, report)


def _statuspage(options: dict[str, Any], report: Report) -> Source:
    if options["from_public"]:
        return PublicSource(options["from_public"], Fetcher(rate=options["rate"]), report)
    if not (options["api_key"] and options["page_id"]):
        raise CommandError("Name --from-public URL, or --api-key KEY and --page-id ID.")
    headers = {"Authorization": f"OAuth {_secret(options['api_key'])}"}
    fetcher = Fetcher(rate=options["rate"], headers=headers)
    return KeyedSource(options["page_id"], fetcher, report, api_url=options["api_url"])


def _cachet(options: dict[str, Any], report: Report) -> Source:
    if not options["url"]:
        raise CommandError("Name --url URL, the address of the Cachet.")
    token = options["token"]
    headers = {"X-Cachet-Token": _secret(token)} if token else {}
    fetcher = Fetcher(rate=options["rate"], headers=headers)
    return CachetSource(options["url"], fetcher, report, zone=_zone(options), has_token=bool(token))


def _secret(text: str) -> str:
    """What stands on a command line can be read by everybody on the machine."""
    return sys.stdin.readline().strip() if text == "-" else text


def _zone(options: dict[str, Any]) -> ZoneInfo:
    try:
        validate_time_zone(options["time_zone"])
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return ZoneInfo(options["time_zone"])


def _page(code: str | None) -> Page | None:
    if code is None:
        return None
    page = Page.objects.filter(public_id=code).first()
    if page is None:
        known = ", ".join(f"{one.public_id} ({one})" for one in Page.objects.order_by("pk")) or "none"
        raise CommandError(f"There is no page with the code “{code}”. There are: {known}.")
    return page
