"""The published folder, as whoever writes it and whoever serves it must agree on it. Standard library only: the front
door reads it before Django is loaded, and without it.

    published/
      hosts.json               which page answers to which host name
      default                  -> <page>, the one that answers to all others: for web servers that know no pages
      <page>/current           -> generations/<number>, swapped by rename: a reader sees one generation, whole
      <page>/generations/<n>/  manifest.json, the files that change often, archive -> ../../archives/<n>
      <page>/archives/<n>/     manifest.json, the pages of past incidents

Each file stands beside its `.gz` and `.br`. A path's file is looked for in the generation first, then in its archive.
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
class Entry:
    """One published path: the hash of its uncompressed bytes (hex), and the number of the headers it is sent with."""

    digest: str
    headers: int


@dataclass(frozen=True)
class Manifest:
    """What a folder holds. `stamp`: when its maker last looked, Unix seconds. `event`: the last one that it shows.
    `made_by`: the state of the code that made it. `archive`: the name of the archive, if it uses one."""

    files: dict[str, Entry]
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
        files = {path: Entry(digest, headers) for path, (digest, headers) in raw["files"].items()}
        return Manifest(files, raw["headers"], raw["stamp"], raw["event"], raw["made_by"], raw["archive"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder / MANIFEST} is damaged: {error!r}") from error
