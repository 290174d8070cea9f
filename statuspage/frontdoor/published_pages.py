"""The published pages in memory. The layout of their folder is in statuspage.common.published_folder.

The event loop only looks into memory: whatever reads files runs in a thread.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from email.utils import formatdate
from itertools import islice
from pathlib import Path

from statuspage.common.published_folder import (
    ARCHIVE,
    CODINGS,
    CURRENT,
    HOSTS,
    Manifest,
    ManifestEntry,
    file_of,
    read_manifest,
)
from statuspage.frontdoor.replies import Reply

# Maximum size of the response bodies of one page in memory, in all codings. The least recently used are removed first.
MEMORY = 24 * 1024 * 1024
# Headers that describe the content: a 304 leaves them out (RFC 9110 section 15.4.5).
OF_CONTENT = {"content-type", "content-length", "content-encoding", "content-language"}
# How many of the last requested responses are read at once from a new generation, before it is served.
READ_AHEAD = 64
# Host headers whose page is remembered.
REMEMBERED = 1000
# A host name, an IPv4 address, or an IPv6 address in brackets, with or without a port.
VALID_HOST = re.compile(rb"([A-Za-z0-9._-]+|\[[A-Fa-f0-9:.]+\])(:[0-9]{0,5})?")


class ReplyCache:
    """Responses by path and coding, up to MEMORY bytes. Threads may add to it while the event loop reads."""

    def __init__(self) -> None:
        self.replies: OrderedDict[tuple[str, str], Reply] = OrderedDict()
        self.size = 0
        self._changing = threading.Lock()

    def get(self, path: str, coding: str) -> Reply | None:
        reply = self.replies.get((path, coding))
        if reply is not None and self.size > MEMORY // 2:
            with self._changing:
                if (path, coding) in self.replies:
                    self.replies.move_to_end((path, coding))
        return reply

    def put(self, path: str, coding: str, reply: Reply) -> Reply:
        with self._changing:
            if (path, coding) not in self.replies:
                self.replies[path, coding] = reply
                self.size += len(reply.body)
            while self.size > MEMORY:
                _, removed = self.replies.popitem(last=False)
                self.size -= len(removed.body)
        return reply


class Generation:
    """One page's current generation, with the responses that were read from it so far."""

    def __init__(self, folder: Path, manifest: Manifest, archive: Manifest | None) -> None:
        self.folder = folder
        self.manifest = manifest
        self.archive = archive
        self.cache = ReplyCache()

    def contains(self, path: str) -> bool:
        return path in self.manifest.files or (self.archive is not None and path in self.archive.files)

    def read(self, path: str, coding: str) -> Reply | None:
        """Read a response from disk, or None if `path` is not published. Raises OSError."""
        if entry := self.manifest.files.get(path):
            return self.cache.put(path, coding, _read(self.folder, self.manifest, path, entry, coding))
        if self.archive and (entry := self.archive.files.get(path)):
            return self.cache.put(path, coding, _read(self.folder / ARCHIVE, self.archive, path, entry, coding))
        return None

    def read_ahead(self, earlier: Generation | None) -> None:
        """Read what was requested of the `earlier` generation, or the home page, before this one is served."""
        wanted = list(islice(reversed(earlier.cache.replies), READ_AHEAD)) if earlier else []
        for path, coding in wanted or [("/", coding) for coding in CODINGS]:
            self.read(path, coding)


def _read(folder: Path, manifest: Manifest, path: str, entry: ManifestEntry, coding: str) -> Reply:
    file = folder / (file_of(path) + CODINGS[coding])
    body = file.read_bytes()
    # When the publisher last changed this file, by the clock of the file system.
    made = formatdate(file.stat().st_mtime, usegmt=True)
    etag = f'"{entry.digest[:20]}-{coding}"'
    return make_reply({**manifest.headers[entry.headers], "Last-Modified": made}, etag, coding, body)


def make_reply(headers: dict[str, str], etag: str, coding: str, body: bytes) -> Reply:
    named = {**headers, "ETag": etag, "Vary": "Accept-Encoding"}
    if coding != "identity":
        named["Content-Encoding"] = coding
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
    pairs_304 = [pair for pair in pairs if pair[0].decode() not in OF_CONTENT]
    return Reply(etag.encode(), [*pairs, (b"content-length", b"%d" % len(body))], pairs_304, body)


class PublishedPages:
    """All pages below the published `folder`, by host name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hosts: dict[str, str] = {}
        self._pages: dict[str, Generation] = {}
        self._by_header: dict[bytes, Generation] = {}

    def page_of(self, host: bytes) -> Generation | None:
        """Return the page for a Host header, remembered because clients send the same few. None if it is not valid."""
        known = self._by_header.get(host)
        if known is not None:
            return known
        if host and not VALID_HOST.fullmatch(host):
            return None
        page = self._pages.get(self._hosts.get(_name(host.decode("ascii"))) or self._hosts.get("", ""))
        if page is not None and len(self._by_header) < REMEMBERED:
            self._by_header[host] = page
        return page

    def look(self) -> None:
        """Load new generations. If a folder is missing or damaged, keep serving from memory."""
        try:
            hosts = json.loads((self.folder / HOSTS).read_text(encoding="utf-8"))
            pages = {name: self._current(name) for name in set(hosts.values())}
        except (OSError, ValueError):
            return
        if hosts != self._hosts or pages != self._pages:
            self._hosts, self._pages, self._by_header = hosts, pages, {}

    def _current(self, name: str) -> Generation:
        """Return the current generation of a page. Raises OSError or ValueError if it cannot be read."""
        folder = (self.folder / name / CURRENT).resolve()
        known = self._pages.get(name)
        if known is not None and known.folder == folder:
            return known
        fresh = _load(folder, known)
        fresh.read_ahead(known)
        return fresh


def _load(folder: Path, known: Generation | None) -> Generation:
    manifest = read_manifest(folder)
    archive = None
    if manifest.archive:
        same = known is not None and known.archive is not None and known.manifest.archive == manifest.archive
        archive = known.archive if same and known else read_manifest(folder / ARCHIVE)
    return Generation(folder, manifest, archive)


def _name(host: str) -> str:
    """`Status.Example.com:8000` -> `status.example.com`."""
    return host.rsplit(":", 1)[0].lower()
