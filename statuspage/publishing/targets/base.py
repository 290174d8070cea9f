"""What a target has to be able to do, and what is delivered to it."""

from __future__ import annotations

import json
import mimetypes
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from statuspage.common.published_folder import ARCHIVE, file_of, read_manifest

# What a target holds, for ourselves: path -> hash. Nothing in it is secret.
INVENTORY = ".candor.json"
STATIC = "/static/"
# What pages load: there before them, and longer than they.
LOADED = (STATIC, "/accent-", "/logo-")
IMMUTABLE = "public, max-age=31536000, immutable"


class TargetConfigError(Exception):
    """A target that cannot be understood or used; the text says why."""


@dataclass(frozen=True)
class Item:
    """One path, and the file that answers for it. `headers` are what visitors should get with it."""

    path: str
    file: Path
    digest: str
    headers: dict[str, str]


class Target(ABC):
    """A place that holds a copy of one page, laid out as a web root. `page`: its code, empty for the install's first.

    Everything may raise whatever the place fails with; it is tried again.
    """

    def __init__(self, name: str, page: str) -> None:
        self.name = name
        self.page = page

    @abstractmethod
    def put(self, item: Item) -> None:
        """Replaces what was there at once: no reader sees a half."""

    @abstractmethod
    def drop(self, path: str) -> None:
        """Nothing happens if it is not there."""

    @abstractmethod
    def has_notes(self) -> bool:
        """Cheap. If they are gone, so may be all else."""

    @abstractmethod
    def read_notes(self) -> bytes | None: ...

    @abstractmethod
    def write_notes(self, notes: bytes) -> None: ...

    def held(self) -> dict[str, str]:
        """What lies there by our own notes; nothing if there are none, or they are damaged."""
        try:
            inventory = json.loads(self.read_notes() or b"{}")
        except ValueError:
            return {}
        return inventory if isinstance(inventory, dict) else {}


def items(generation: Path, static: Path) -> Iterator[Item]:
    """All that belongs to a page, in an order in which whoever follows a link misses nothing: style sheets and logos,
    changed incidents, what links to them, the file that tells of the change; then past incidents, perhaps very many."""
    yield from _static(static)
    manifest = read_manifest(generation)
    last = ("/", "/live.json")
    for path in (*sorted(manifest.files.keys() - set(last), key=_in_order), *last):
        if entry := manifest.files.get(path):
            yield Item(path, generation / file_of(path), entry.digest, manifest.headers[entry.headers])
    if manifest.archive:
        past = read_manifest(generation / ARCHIVE)
        for path, entry in past.files.items():
            if path not in manifest.files:
                file = generation / ARCHIVE / file_of(path)
                yield Item(path, file, entry.digest, past.headers[entry.headers])


def _in_order(path: str) -> tuple[bool, bool, str]:
    return (not path.startswith(LOADED), not path.startswith("/incidents/"), path)


def _static(folder: Path) -> Iterator[Item]:
    """Those whose names say what is in them: pages link to no others."""
    listed = folder / "staticfiles.json"
    names = json.loads(listed.read_text(encoding="utf-8"))["paths"].values() if listed.exists() else ()
    for name in sorted(set(names)):
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        kind += "; charset=utf-8" if kind.startswith("text/") else ""
        headers = {"Content-Type": kind, "Cache-Control": IMMUTABLE}
        yield Item(STATIC + name, folder / name, name, headers)
