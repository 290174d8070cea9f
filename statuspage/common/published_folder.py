"""The layout of the published folder, shared by the publisher and the front door.

Uses only the standard library, because the front door runs without Django.

    published/
      hosts.json               the page of each host name
      default                  -> <page>, the page of all other host names, for other web servers
      <page>/current           -> generations/<number>, replaced atomically by rename
      <page>/generations/<n>/  manifest.json, the files that change often, archive -> ../../archives/<n>
      <page>/archives/<n>/     manifest.json, the pages of single incidents and components

Each file has a `.gz` and a `.br` variant. Files are looked up in the generation first, then in its archive.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "manifest.json"
HOSTS = "hosts.json"
DEFAULT = "default"
CURRENT = "current"
ARCHIVE = "archive"
# Suffix of the file by content coding, best first.
CODINGS = {"br": ".br", "gzip": ".gz", "identity": ""}


def file_of(path: str) -> str:
    """`/` -> `index.html`, `/incidents/abc` -> `incidents/abc.html`, `/history.atom` -> `history.atom`."""
    name = path.strip("/") or "index"
    return name if "." in name.rsplit("/", 1)[-1] else f"{name}.html"


@dataclass(frozen=True)
class ManifestEntry:
    """One published path: the hash (hex) of its uncompressed bytes, and the index of its headers."""

    digest: str
    headers: int


@dataclass(frozen=True)
class Manifest:
    """The contents of a folder.

    `stamp`: time of the last check, in Unix seconds. `event`: the id of the last event that it includes. `made_by`: the
    fingerprint of the code that rendered it. `archive`: the name of its archive, if any.
    """

    files: dict[str, ManifestEntry]
    headers: list[dict[str, str]]
    stamp: float = 0.0
    event: int = 0
    made_by: str = ""
    archive: str = ""

    def dumped(self) -> str:
        files = {path: [entry.digest, entry.headers] for path, entry in sorted(self.files.items())}
        about = {"stamp": self.stamp, "event": self.event, "made_by": self.made_by, "archive": self.archive}
        return json.dumps(about | {"headers": self.headers, "files": files})


def read_manifest(folder: Path) -> Manifest:
    """OSError if there is none, ValueError if it is damaged."""
    raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    try:
        files = {path: ManifestEntry(digest, headers) for path, (digest, headers) in raw["files"].items()}
        return Manifest(files, raw["headers"], raw["stamp"], raw["event"], raw["made_by"], raw["archive"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder / MANIFEST} is damaged: {error!r}") from error
