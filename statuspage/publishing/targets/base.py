"""The interface of a target, and the files that are copied to it."""

from __future__ import annotations

import json
import mimetypes
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from statuspage.common.published_folder import ARCHIVE, Manifest, file_of, read_manifest
from statuspage.publishing.generation_writer import is_archived, is_of_incident

# Name of the file at the target that lists its content as path -> hash. Nothing in it is secret.
INVENTORY = ".candor.json"
STATIC = "/static/"
# Files that pages load: uploaded before the pages and removed after them.
LOADED_BY_PAGES = (STATIC, "/accent-", "/logo-")
IMMUTABLE = "public, max-age=31536000, immutable"


class TargetConfigError(Exception):
    """A target is invalid or cannot be used. The message is for the person who configured it."""


@dataclass(frozen=True)
class Item:
    """A path, its file, and the response headers for it."""

    path: str
    file: Path
    digest: str
    headers: dict[str, str]


class Target(ABC):
    """A copy of one page, laid out as a web root. `page` is its public id; empty for the first page.

    All methods may raise any exception. The operation is then tried again.
    """

    def __init__(self, name: str, page: str) -> None:
        self.name = name
        self.page = page

    @abstractmethod
    def put(self, item: Item) -> None:
        """Write or replace a file atomically."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove a path if it exists."""

    @abstractmethod
    def has_inventory(self) -> bool:
        """Return whether the inventory exists. If it does not, other files may be missing too. This must be cheap."""

    @abstractmethod
    def read_inventory(self) -> bytes | None: ...

    @abstractmethod
    def write_inventory(self, content: bytes) -> None: ...

    def inventory(self) -> dict[str, str]:
        """Return path -> hash of the files at the target; empty if the inventory is missing or damaged."""
        try:
            inventory = json.loads(self.read_inventory() or b"{}")
        except ValueError:
            return {}
        return inventory if isinstance(inventory, dict) else {}


def items(generation: Path, static: Path) -> Iterator[Item]:
    """Yield all files of a page in an order that never leaves a broken link: style sheets and logos, changed incidents,
    components, the pages that link to them, `/live.json`; then past incidents, which may be many."""
    yield from _static(static)
    manifest = read_manifest(generation)
    archive = read_manifest(generation / ARCHIVE) if manifest.archive else Manifest({}, [])
    past = [path for path in archive.files if is_of_incident(path) and path not in manifest.files]
    last = ("/", "/live.json")
    first = (manifest.files.keys() | archive.files.keys()) - {*past, *last}
    for path in (*sorted(first, key=_in_order), *last, *past):
        for folder, part in ((generation, manifest), (generation / ARCHIVE, archive)):
            if entry := part.files.get(path):
                yield Item(path, folder / file_of(path), entry.digest, part.headers[entry.headers])
                break


def _in_order(path: str) -> tuple[bool, bool, bool, str]:
    return (not path.startswith(LOADED_BY_PAGES), not is_of_incident(path), not is_archived(path), path)


def _static(folder: Path) -> Iterator[Item]:
    """Yield the static files with a hash in their names. Pages link to no others."""
    listed = folder / "staticfiles.json"
    names = json.loads(listed.read_text(encoding="utf-8"))["paths"].values() if listed.exists() else ()
    for name in sorted(set(names)):
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        kind += "; charset=utf-8" if kind.startswith("text/") else ""
        headers = {"Content-Type": kind, "Cache-Control": IMMUTABLE}
        yield Item(STATIC + name, folder / name, name, headers)
