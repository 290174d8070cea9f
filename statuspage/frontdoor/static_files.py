"""The collected static files (CSS, scripts, icons) in memory, so that a published page is complete without the app."""

from __future__ import annotations

import json
import mimetypes
from email.utils import formatdate
from pathlib import Path

from statuspage.common.published_folder import CODINGS
from statuspage.frontdoor.published_pages import ReplyCache, make_reply
from statuspage.frontdoor.replies import Reply

PREFIX = "/static/"
# Written last by `collectstatic`: maps each file to the copy that has the hash of its content in its name.
MANIFEST = "staticfiles.json"
COMPRESSED = (".gz", ".br")
FOREVER = "max-age=315360000, public, immutable"
MINUTE = "max-age=60, public"
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("image/webp", ".webp")


class StaticFiles:
    """Files below `folder`, of those that were there when its manifest was last written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = ReplyCache()
        self._version = 0.0
        self._names: frozenset[str] = frozenset()
        self._hashed: frozenset[str] = frozenset()

    def contains(self, path: str) -> bool:
        return path.removeprefix(PREFIX) in self._names

    def look(self) -> None:
        """List the files again if the manifest was written since the last time."""
        try:
            file = self.folder / MANIFEST
            version = file.stat().st_mtime
            if version == self._version:
                return
            hashed = json.loads(file.read_text(encoding="utf-8"))["paths"].values()
            names = (str(entry.relative_to(self.folder)) for entry in self.folder.rglob("*") if entry.is_file())
            self._names = frozenset(name for name in names if not name.endswith(COMPRESSED) and name != MANIFEST)
            self._hashed, self._version, self.cache = frozenset(hashed), version, ReplyCache()
        except (OSError, ValueError, KeyError):
            return

    def read(self, path: str, coding: str) -> Reply | None:
        """Read a file from disk, uncompressed if it has no copy in `coding`. Raises OSError."""
        name = path.removeprefix(PREFIX)
        file = self.folder / (name + CODINGS[coding])
        if not file.exists():
            coding, file = "identity", self.folder / name
        body, made = file.read_bytes(), file.stat().st_mtime
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {
            "Content-Type": f'{kind}; charset="utf-8"' if kind.startswith("text/") else kind,
            "Cache-Control": FOREVER if name in self._hashed else MINUTE,
            "Last-Modified": formatdate(made, usegmt=True),
            **HEADERS,
        }
        return self.cache.put(
            path, coding, make_reply(headers, f'"{int(made):x}-{len(body):x}-{coding}"', coding, body)
        )
