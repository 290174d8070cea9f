"""A WSGI wrapper that serves published pages from memory and passes all other requests to Django.

It needs neither Django nor a database: a published page is served as long as its files exist. The layout of the folder
is in statuspage.common.published_folder. It is checked for a new generation at most once a second.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any

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

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

LOOK_EVERY = 1.0
# Maximum size of the response bodies in memory, in all codings. The least recently used are removed first.
MEMORY = 24 * 1024 * 1024
# Headers that describe the content: a 304 leaves them out (RFC 9110 section 15.4.5).
OF_CONTENT = {"content-type", "content-length", "content-encoding", "content-language"}


@dataclass(frozen=True)
class Reply:
    """One path in one coding, ready to be sent."""

    etag: str
    headers: list[tuple[str, str]]
    headers_304: list[tuple[str, str]]
    body: bytes


class Published:
    """One page's current generation, and a cache of its replies."""

    def __init__(self, folder: Path, manifest: Manifest, archive: Manifest | None) -> None:
        self.folder = folder
        self.manifest = manifest
        self.archive = archive
        self.replies: OrderedDict[tuple[str, str], Reply] = OrderedDict()
        self.size = 0
        self._changing = threading.Lock()

    def reply(self, path: str, coding: str) -> Reply | None:
        """Return the reply for `path`, or None if it is not published. Raises OSError if its file cannot be read."""
        reply = self.replies.get((path, coding))
        if reply is not None:
            if self.size > MEMORY // 2:
                self.replies.move_to_end((path, coding))
            return reply
        if entry := self.manifest.files.get(path):
            return self._keep(path, coding, _read(self.folder, self.manifest, path, entry, coding))
        if self.archive and (entry := self.archive.files.get(path)):
            return self._keep(path, coding, _read(self.folder / ARCHIVE, self.archive, path, entry, coding))
        return None

    def _keep(self, path: str, coding: str, reply: Reply) -> Reply:
        with self._changing:
            if (path, coding) not in self.replies:
                self.replies[path, coding] = reply
                self.size += len(reply.body)
            while self.size > MEMORY:
                _, gone = self.replies.popitem(last=False)
                self.size -= len(gone.body)
        return reply


def _read(folder: Path, manifest: Manifest, path: str, entry: ManifestEntry, coding: str) -> Reply:
    file = folder / (file_of(path) + CODINGS[coding])
    body = file.read_bytes()
    # When the publisher last changed this file, by the clock of the file system.
    made = formatdate(file.stat().st_mtime, usegmt=True)
    etag = f'"{entry.digest[:20]}-{coding}"'
    headers = [*manifest.headers[entry.headers].items(), ("ETag", etag), ("Last-Modified", made)]
    headers.append(("Vary", "Accept-Encoding"))
    if coding != "identity":
        headers.append(("Content-Encoding", coding))
    headers_304 = [(name, value) for name, value in headers if name.lower() not in OF_CONTENT]
    return Reply(etag, [*headers, ("Content-Length", str(len(body)))], headers_304, body)


class FrontDoor:
    """Serves the published `folder`. Requests for other paths go to `application`."""

    def __init__(self, folder: Path, application: Application) -> None:
        self.folder = folder
        self.application = application
        self._hosts: dict[str, str] = {}
        self._pages: dict[str, Published] = {}
        self._looked_at = 0.0
        self._looking = threading.Lock()
        self._codings: dict[str, str] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if (method == "GET" or method == "HEAD") and not environ.get("QUERY_STRING"):
            reply = self._reply(environ)
            if reply is not None:
                if reply.etag in environ.get("HTTP_IF_NONE_MATCH", ""):
                    start_response("304 Not Modified", reply.headers_304)
                    return []
                start_response("200 OK", reply.headers)
                return [reply.body] if method == "GET" else []
        return self.application(environ, start_response)

    def _reply(self, environ: Environ) -> Reply | None:
        now = time.monotonic()
        if now - self._looked_at > LOOK_EVERY:
            self._look(now)
        host = environ.get("HTTP_HOST", "")
        hosts = self._hosts
        page = self._pages.get(hosts.get(host) or hosts.get(_name(host)) or hosts.get("", ""))
        if page is None:
            return None
        try:
            return page.reply(environ["PATH_INFO"], self._coding(environ.get("HTTP_ACCEPT_ENCODING", "")))
        except OSError:  # the folder was removed between two checks: the application responds
            self._looked_at = 0.0
            return None

    def _look(self, now: float) -> None:
        """Load new generations. If a folder is missing or damaged, keep serving from memory."""
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._looked_at = now
            self._hosts = json.loads((self.folder / HOSTS).read_text(encoding="utf-8"))
            for name in set(self._hosts.values()):
                folder = (self.folder / name / CURRENT).resolve()
                known = self._pages.get(name)
                if known is None or known.folder != folder:
                    self._pages[name] = _load(folder, known)
        except (OSError, ValueError):
            pass
        finally:
            self._looking.release()

    def _coding(self, accepted: str) -> str:
        """Return the best coding that `Accept-Encoding` allows, cached because browsers send the same few values."""
        known = self._codings.get(accepted)
        if known is None:
            if len(self._codings) > 1000:
                self._codings.clear()
            known = self._codings[accepted] = _best(accepted)
        return known


def _load(folder: Path, known: Published | None) -> Published:
    manifest = read_manifest(folder)
    archive = None
    if manifest.archive:
        same = known is not None and known.archive is not None and known.manifest.archive == manifest.archive
        archive = known.archive if same and known else read_manifest(folder / ARCHIVE)
    return Published(folder, manifest, archive)


def _name(host: str) -> str:
    """`Status.Example.com:8000` -> `status.example.com`."""
    return host.rsplit(":", 1)[0].lower()


def _best(accepted: str) -> str:
    """Choose a coding (RFC 9110 section 12.5.3). A coding with q=0 is not acceptable."""
    weights = {}
    for part in accepted.lower().split(","):
        coding, _, parameters = part.strip().partition(";")
        weights[coding.strip()] = parameters.replace(" ", "")
    for coding in ("br", "gzip"):
        if coding in weights and weights[coding] not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            return coding
    return "identity"
