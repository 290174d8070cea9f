"""Create the source that the command line names."""

from __future__ import annotations

import sys
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from incidents.models.pages import validate_time_zone
from statuspage.importers.atlassian.api_source import ApiSource
from statuspage.importers.atlassian.public_source import PublicSource
from statuspage.importers.cachet import CachetSource
from statuspage.importers.csv_source import CsvSource
from statuspage.importers.fetching import Fetcher
from statuspage.importers.report import ImportReport
from statuspage.importers.source import Source
from statuspage.importers.uptime_kuma import UptimeKumaSource

FROM_FILES = ("uptime-kuma", "csv", "candor")


def source_of(options: dict[str, Any], report: ImportReport) -> Source:
    """Return the source. Raise CommandError if an option is missing."""
    kind, file = options["source"], options["file"]
    if kind in FROM_FILES and file is None:
        raise CommandError(f"Enter the file: import_page {kind} FILE.")
    if kind == "csv":
        return CsvSource(file, report, name=file.name, zone=_zone(options))
    if kind == "uptime-kuma":
        return UptimeKumaSource(file, report, name=file.name)
    if kind == "cachet":
        return _cachet(options, report)
    return _statuspage(options, report)


def _statuspage(options: dict[str, Any], report: ImportReport) -> Source:
    if options["from_public"]:
        return PublicSource(options["from_public"], Fetcher(rate=options["rate"]), report)
    if not (options["api_key"] and options["page_id"]):
        raise CommandError("Use --from-public URL, or --api-key KEY and --page-id ID.")
    headers = {"Authorization": f"OAuth {_secret(options['api_key'])}"}
    fetcher = Fetcher(rate=options["rate"], headers=headers)
    return ApiSource(options["page_id"], fetcher, report, api_url=options["api_url"])


def _cachet(options: dict[str, Any], report: ImportReport) -> Source:
    if not options["url"]:
        raise CommandError("Use --url URL, the address of the Cachet installation.")
    token = options["token"]
    headers = {"X-Cachet-Token": _secret(token)} if token else {}
    fetcher = Fetcher(rate=options["rate"], headers=headers)
    return CachetSource(options["url"], fetcher, report, zone=_zone(options), has_token=bool(token))


def _secret(text: str) -> str:
    """Read the secret from standard input for “-”: other users of the machine can see command lines."""
    return sys.stdin.readline().strip() if text == "-" else text


def _zone(options: dict[str, Any]) -> ZoneInfo:
    try:
        validate_time_zone(options["time_zone"])
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return ZoneInfo(options["time_zone"])
