from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents.models import Page
from statuspage.importers import archive
from statuspage.importers.find_page import page_with_public_id


class Command(BaseCommand):
    help = "Export a page to a file, as JSON lines (docs/export-format.md). Restore it with: import_page candor FILE."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("page", metavar="ID", help="the ID of the page")
        parser.add_argument("file", metavar="FILE", help="- writes to standard output")
        parser.add_argument(
            "--with-secrets", action="store_true", help="include the addresses and secrets of webhooks and chats"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        page = page_with_public_id(options["page"])
        if options["file"] == "-":
            archive.write(page, sys.stdout, with_secrets=options["with_secrets"])
            return
        try:
            count = _write(page, Path(options["file"]), with_secrets=options["with_secrets"])
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Exported “{page}” to {options['file']} ({count:,} lines).")


def _write(page: Page, path: Path, *, with_secrets: bool) -> int:
    """Write the file atomically. Only its owner can read it, because it contains the addresses of people."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.touch(mode=0o600)
        with temporary.open("w", encoding="utf-8") as file:
            count = archive.write(page, file, with_secrets=with_secrets)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return count
