"""`manage.py import_page` as a function: what it printed, and its exit code."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command

from tests.importers.statuspages import PAGE_ID, FakeStatuspage


@dataclass(frozen=True)
class Ran:
    code: int
    output: str
    error: str = ""

    def row(self, kind: str) -> dict[str, int]:
        """The line of `kind` in the table at the end."""
        lines = self.output.splitlines()
        head = next(line for line in lines if line.split()[:1] == ["read"]).split()
        totals = next(line for line in lines if line.startswith(f"{kind} "))
        figures = [int(cell.replace(",", "")) for cell in totals.split()[1:]]
        return dict(zip(head, figures, strict=True))


def run(*arguments: str, **options: Any) -> Ran:
    out = StringIO()
    try:
        call_command("import_page", *arguments, stdout=out, stderr=StringIO(), rate=0, **options)
    except CommandError as error:
        return Ran(error.returncode, out.getvalue(), str(error))
    return Ran(0, out.getvalue())


def run_public(theirs: FakeStatuspage, *arguments: str, **options: Any) -> Ran:
    return run("statuspage", "--from-public", theirs.base, *arguments, **options)


def run_keyed(theirs: FakeStatuspage, *arguments: str, **options: Any) -> Ran:
    keyed = ("--api-key", "sesame", "--page-id", PAGE_ID, "--api-url", f"{theirs.base}/v1")
    return run("statuspage", *keyed, *arguments, **options)
