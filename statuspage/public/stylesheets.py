"""Joins the style sheets of the public page into one file, so that a first visit loads only one."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

from statuspage.common.data_folder import make_private_file

NAME = "css/site.css"
# The order matters: of two rules with the same specificity the later one applies.
PARTS = ("tokens", "base", "public", "bars", "report", "timeline")


class JoinedFinder(BaseFinder):
    """Finds `css/site.css` and writes it again if one of its parts has changed."""

    def check(self, **_options: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **_options: Any) -> Any:  # noqa: FBT001, FBT002 - Django's own
        if path != NAME:
            return []
        path = str(joined())
        return [path] if find_all else path

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        yield NAME, FileSystemStorage(location=str(joined().parents[1]))


def joined() -> Path:
    """Return the path of the joined file, after updating it if necessary."""
    folder = settings.BASE_DIR / "static" / "css"
    text = "\n".join((folder / f"{part}.css").read_text(encoding="utf-8") for part in PARTS)
    path: Path = settings.RUN_DIR / "joined" / NAME
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        beside = path.with_suffix(".new")
        make_private_file(beside)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    return path
