"""Writes the published folder as generations: each is written completely, then made current by one rename.

A new generation consists of hard links to unchanged files and of new files. The paths of single incidents and
components, which may be thousands, are in an archive that generations share, so the cost of a generation does not
depend on their number. A changed one is written to the generation, which is read before the archive. A new archive is
written when the generation has many of these, and at once when one must disappear.

This module does not depend on pages or the database.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import brotli

from statuspage.common.published_folder import (
    ARCHIVE,
    CODINGS,
    CURRENT,
    MANIFEST,
    Manifest,
    ManifestEntry,
    file_of,
    read_manifest,
)

# Number of changed archived paths in a generation above which they move into a new archive.
MAX_OVERLAY = 200
INCIDENTS = "/incidents/"
ARCHIVED = (INCIDENTS, "/components/", "/uptime/", "/reports/")
# A server that resolved `current` a moment ago still opens files of the previous generation.
GENERATIONS_KEPT = 2
BROTLI_QUALITY = 5
# Up to so many new files are synced one by one; more are synced with one os.sync().
SYNCED_ALONE = 200
SYNCED_TOGETHER = 32
LOOK_EVERY = 0.5


@dataclass(frozen=True)
class Answer:
    """The response for a path: `headers` are all response headers except those of the content coding."""

    body: bytes
    headers: dict[str, str]


def is_of_incident(path: str) -> bool:
    """Return whether `path` belongs to one incident."""
    return path.startswith(INCIDENTS)


def is_archived(path: str) -> bool:
    """Return whether `path` belongs to one incident or component. These are many, and an update changes few of them."""
    return path.startswith(ARCHIVED)


# A finished folder and its manifest.
Part = tuple[Path, Manifest]


@dataclass
class FolderWriter:
    """Writes the files of a folder. `files` and `headers` become its manifest."""

    folder: Path
    files: dict[str, ManifestEntry] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    _made: set[Path] = field(default_factory=set, init=False)

    def put(self, path: str, answer: Answer) -> None:
        target = self._place(path)
        for coding, content in (
            ("identity", answer.body),
            ("gzip", gzip.compress(answer.body, 9, mtime=0)),
            ("br", brotli.compress(answer.body, quality=BROTLI_QUALITY)),
        ):
            file = target.with_name(target.name + CODINGS[coding])
            # Never write into an existing file: it may be a hard link to a published one.
            file.unlink(missing_ok=True)
            file.write_bytes(content)
            self.written.append(file)
        self.files[path] = ManifestEntry(hashlib.sha256(answer.body).hexdigest(), self._header_number(answer.headers))

    def remove(self, path: str) -> None:
        """Remove a path from the manifest and the disk: a web server reads files, not manifests."""
        if self.files.pop(path, None):
            for suffix in CODINGS.values():
                (self.folder / (file_of(path) + suffix)).unlink()

    def adopt(self, folder: Path, manifest: Manifest, paths: Iterable[str]) -> None:
        """Take over `paths` of another, finished folder as they are."""
        for path in paths:
            entry = manifest.files[path]
            target = self._place(path)
            # Plain strings: for thousands of files, Path objects would take longer than the links.
            old, new = f"{folder}/{file_of(path)}", str(target)
            for suffix in CODINGS.values():
                os.link(old + suffix, new + suffix)
            self.files[path] = ManifestEntry(entry.digest, self._header_number(manifest.headers[entry.headers]))

    def close(self, *, stamp: float = 0.0, event: int = 0, made_by: str = "", archive: str = "") -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        manifest = Manifest(self.files, self.headers, stamp, event, made_by, archive)
        file = self.folder / MANIFEST
        file.write_text(manifest.dumped(), encoding="utf-8")
        self.written.append(file)
        if archive:
            (self.folder / ARCHIVE).symlink_to(Path("..", "..", "archives", archive))

    def _place(self, path: str) -> Path:
        name = file_of(path)
        # No file system access, and each folder is created once: this runs a thousand times per generation.
        if os.path.normpath(name) != name or name.startswith((os.pardir, os.sep)):
            raise ValueError(f"{path} is outside of the published folder.")
        target = self.folder / name
        if target.parent not in self._made:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(target.parent)
        return target

    def _header_number(self, headers: dict[str, str]) -> int:
        if headers not in self.headers:
            self.headers.append(headers)
        return self.headers.index(headers)


class Tree:
    """One page's published folder. One process writes it at a time (the publisher holds a lock)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.generations = root / "generations"
        self.archives = root / "archives"
        # Of generations being written: short ones may become current while a long one is still written.
        self._parts_in_work: set[str] = set()
        # Finished folders never change.
        self._read: dict[Path, Manifest] = {}

    @property
    def current(self) -> Path | None:
        """Return the folder of the current generation."""
        link = self.root / CURRENT
        return self.generations / link.readlink().name if link.is_symlink() and link.exists() else None

    def manifest(self) -> Manifest | None:
        return self._manifest_of(self.current) if self.current else None

    def paths(self) -> set[str]:
        """Return all published paths."""
        return {path for _, manifest in self._parts() for path in manifest.files}

    @property
    def count(self) -> int:
        return len(self.paths())

    @contextlib.contextmanager
    def new_generation(self, *, rebuild: bool = False) -> Iterator[GenerationWriter]:
        """Return a writer for the next generation. It begins with all published files, or empty for a rebuild.

        The generation becomes current when the block ends. After an exception nothing changes.
        """
        self.sweep()
        draft = GenerationWriter(self, rebuild=rebuild)
        self._parts_in_work.add(draft.part)
        try:
            yield draft
            self._swap(draft)
        except BaseException:
            draft.discard()
            raise
        finally:
            self._parts_in_work.discard(draft.part)
        self.sweep()

    def sweep(self) -> None:
        """Remove unfinished folders of a killed publisher, and generations and archives that are no longer used."""
        current = self.current
        newest = sorted(self._numbers(self.generations))[-GENERATIONS_KEPT:]
        names = {f"{number:08}" for number in newest} | ({current.name} if current else set())
        self._remove_but(self.generations, names | self._parts_in_work)
        there = [self.generations / name for name in names if (self.generations / name).exists()]
        used = {self._manifest_of(folder).archive for folder in there}
        self._remove_but(self.archives, used | self._parts_in_work)
        wanted = {*there, *(self.archives / name for name in used)}
        self._read = {folder: manifest for folder, manifest in self._read.items() if folder in wanted}

    def next_number(self) -> int:
        in_work = [int(part.split(".")[1]) for part in self._parts_in_work]
        return max([*self._numbers(self.generations), *self._numbers(self.archives), *in_work, 0]) + 1

    def _parts(self) -> Iterator[tuple[Path, Manifest]]:
        """Yield the current generation, then its archive."""
        folder = self.current
        if folder is None:
            return
        manifest = self._manifest_of(folder)
        yield folder, manifest
        if manifest.archive:
            yield self.archives / manifest.archive, self._manifest_of(self.archives / manifest.archive)

    def _manifest_of(self, folder: Path) -> Manifest:
        if folder not in self._read:
            self._read[folder] = read_manifest(folder)
        return self._read[folder]

    def _swap(self, draft: GenerationWriter) -> None:
        folder = draft.finish()
        # Sync before the rename, so that after a power failure `current` never points to missing files.
        _sync_all(draft.written)
        link = self.root / f".{CURRENT}.{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            link.unlink()
        link.symlink_to(Path("generations", folder.name))
        link.replace(self.root / CURRENT)

    def _numbers(self, folder: Path) -> list[int]:
        return [int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal()] if folder.exists() else []

    def _remove_but(self, folder: Path, names: set[str]) -> None:
        for entry in folder.iterdir() if folder.exists() else ():
            if entry.name not in names:
                shutil.rmtree(entry, ignore_errors=True)


class GenerationWriter:
    """Writes the next generation. Files that other writers publish meanwhile are kept, except for paths put here."""

    def __init__(self, tree: Tree, *, rebuild: bool) -> None:
        self.tree = tree
        self.name = f"{tree.next_number():08}"
        self.part = f".{self.name}.part"
        self._is_rebuild = rebuild
        self._before: Part | None = None
        self._past: Part | None = None
        self._begin_with_what_is_published()
        self._fresh = FolderWriter(tree.generations / self.part)
        self._archive = FolderWriter(tree.archives / self.part) if rebuild else None
        self._dropped: set[str] = set()
        self.stamp = 0.0
        self.event = 0
        self.made_by = ""

    def _begin_with_what_is_published(self) -> None:
        parts = [] if self._is_rebuild else list(self.tree._parts())
        self._before = parts[0] if parts else None
        self._past = parts[1] if len(parts) > 1 else None

    def write_through(self, meanwhile: Callable[[], None]) -> None:
        """Sync all files written so far to the disk. That can take long, so `meanwhile` is called repeatedly."""
        if len(self.written) > SYNCED_ALONE:
            syncing = threading.Thread(target=os.sync, name="sync", daemon=True)
            syncing.start()
            while syncing.is_alive():
                syncing.join(LOOK_EVERY)
                meanwhile()
            for writer in (self._fresh, self._archive):
                if writer:
                    writer.written.clear()

    def put(self, path: str, answer: Answer) -> None:
        self._dropped.discard(path)
        (self._archive if self._archive and is_archived(path) else self._fresh).put(path, answer)

    def drop(self, path: str) -> None:
        self._dropped.add(path)
        for writer in (self._fresh, self._archive):
            if writer:
                writer.remove(path)

    def paths(self) -> set[str]:
        """Return the paths that the generation has so far, with those that it begins with."""
        writers = [writer.files for writer in (self._fresh, self._archive) if writer]
        published = [part[1].files for part in (self._before, self._past) if part]
        return {path for files in (*writers, *published) for path in files} - self._dropped

    def holds(self, path: str, answer: Answer) -> bool:
        """Return whether exactly this response is already published."""
        digest = hashlib.sha256(answer.body).hexdigest()
        for part in (self._before, self._past):
            if part and (entry := part[1].files.get(path)):
                return entry.digest == digest and part[1].headers[entry.headers] == answer.headers
        return False

    @property
    def count(self) -> int:
        """Return the number of paths of the finished generation."""
        past = self._archive.files if self._archive else self._past[1].files if self._past else {}
        return len(self._fresh.files.keys() | past.keys())

    @property
    def written(self) -> list[Path]:
        """Return the new files, at their paths after `finish`."""
        writers = {self.tree.generations: self._fresh, self.tree.archives: self._archive}
        return [
            home / self.name / file.relative_to(writer.folder)
            for home, writer in writers.items()
            if writer
            for file in writer.written
        ]

    def finish(self) -> Path:
        # Other generations may have been finished since this one was started.
        self.name = f"{self.tree.next_number():08}"
        self._begin_with_what_is_published()
        if self._before:
            unchanged = self._before[1].files.keys() - self._fresh.files.keys() - self._dropped
            self._fresh.adopt(*self._before, sorted(unchanged))
        archive = self._finished_archive()
        self._fresh.close(stamp=self.stamp, event=self.event, made_by=self.made_by, archive=archive)
        return self._fresh.folder.rename(self.tree.generations / self.name)

    def discard(self) -> None:
        for writer in (self._fresh, self._archive):
            if writer:
                shutil.rmtree(writer.folder, ignore_errors=True)

    def _finished_archive(self) -> str:
        """Return the name of the archive for the new generation, after writing a new archive if necessary."""
        if self._archive is None:
            past = self._past[1].files if self._past else {}
            overlay = sum(map(is_archived, self._fresh.files))
            if not self._dropped & past.keys() and overlay <= MAX_OVERLAY:
                return self._before[1].archive if self._before else ""
            self._archive = self._compacted()
        if not self._archive.files:
            return ""
        self._archive.close()
        return self._archive.folder.rename(self.tree.archives / self.name).name

    def _compacted(self) -> FolderWriter:
        """Return a new archive with the archived paths of the generation, which are moved, and of its old archive."""
        archive = FolderWriter(self.tree.archives / self.part)
        fresh = Manifest(self._fresh.files, self._fresh.headers)
        moved = sorted(path for path in self._fresh.files if is_archived(path))
        archive.adopt(self._fresh.folder, fresh, moved)
        # Some of them are new, and have to be synced at their new place.
        archive.written += [archive.folder / (file_of(path) + end) for path in moved for end in CODINGS.values()]
        for path in moved:
            self._fresh.remove(path)
        if self._past:
            archive.adopt(*self._past, sorted(self._past[1].files.keys() - archive.files.keys() - self._dropped))
        return archive


def _sync_all(files: list[Path]) -> None:
    """Sync in parallel: a file system commits waiting files together."""
    if len(files) > SYNCED_ALONE:
        os.sync()
        return
    with ThreadPoolExecutor(SYNCED_TOGETHER) as hands:
        for _ in hands.map(_sync, [*files, *{file.parent for file in files}]):
            pass


def _sync(file: Path) -> None:
    # A path removed from the generation again has no file.
    with contextlib.suppress(FileNotFoundError):
        handle = os.open(file, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
