from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents.models import Page
from statuspage.importers import archive
from statuspage.importers.pages import page_with_code


class Command(BaseCommand):
    help = "Write everything of a page to a file, as JSON lines (docs/export-format.md). import_page candor reads it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("page", metavar="CODE", help="the page's code")
        parser.add_argument("file", metavar="FILE", help="- writes to standard output")
        parser.add_argument(
            "--with-secrets", action="store_true", help="with the addresses and secrets of webhooks and chats"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        page = page_with_code(options["page"])
        if options["file"] == "-":
            archive.write(page, sys.stdout, with_secrets=options["with_secrets"])
            return
        try:
            count = _write(page, Path(options["file"]), with_secrets=options["with_secrets"])
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"“{page}”: {count:,} lines in {options['file']}.")


def _write(page: Page, path: Path, *, with_secrets: bool) -> int:
    """The file appears whole or not at all, for its owner's eyes only: it holds people's addresses."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        with draft.open("w", encoding="utf-8") as file:
            count = archive.write(page, file, with_secrets=with_secrets)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count
