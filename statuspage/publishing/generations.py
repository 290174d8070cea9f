"""Writing the published folder: aside, whole, then swapped in by one rename. Knows nothing of pages or the database.

A new generation is made of hard links to what stayed and of new files, so its cost grows with what changed and with the
few files of a generation, never with the thousands of past incidents: those stand in an archive that generations
share. A changed past incident goes into the generation, which is looked at first; now and then, and at once
when something must disappear, a new archive is made.
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

# So many changed past incidents may stand in a generation before they move into a new archive.
MAX_OVERLAY = 200
# Readers that looked `current` up a moment ago still open files of the generation before.
GENERATIONS_KEPT = 2
BROTLI_QUALITY = 5
# So many new files are written through to the disk one by one; with more, the whole disk is asked once.
SYNCED_ALONE = 200
SYNCED_TOGETHER = 32
LOOK_EVERY = 0.5


@dataclass(frozen=True)
class Answer:
    """What a path answers with: `headers` are all that visitors get but for the coding's own."""

    body: bytes
    headers: dict[str, str]


def is_past(path: str) -> bool:
    """Whether `path` is one of the thousands that hardly ever change."""
    return path.startswith("/incidents/")


# A finished folder and what it holds.
Part = tuple[Path, Manifest]


@dataclass
class FolderWriter:
    """A folder that is being filled. `files` and `headers` become its manifest."""

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
            # Put twice into one draft: the first may be a link to what readers see.
            file.unlink(missing_ok=True)
            file.write_bytes(content)
            self.written.append(file)
        self.files[path] = ManifestEntry(hashlib.sha256(answer.body).hexdigest(), self._header_number(answer.headers))

    def remove(self, path: str) -> None:
        """From the disk too: a web server beside us looks for files, not into manifests."""
        if self.files.pop(path, None):
            for suffix in CODINGS.values():
                (self.folder / (file_of(path) + suffix)).unlink()

    def adopt(self, folder: Path, manifest: Manifest, paths: Iterable[str]) -> None:
        """Take over `paths` of another, finished folder as they are."""
        for path in paths:
            entry = manifest.files[path]
            target = self._place(path)
            # Plain strings: these are thousands of links, and a Path costs more than a link.
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
        # By its letters alone, and each folder made once: a generation of many components is a thousand of these.
        if os.path.normpath(name) != name or name.startswith((os.pardir, os.sep)):
            raise ValueError(f"{path} would lead out of the published folder.")
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
        # Of drafts that are being written: a long one does not keep short ones from being swapped in meanwhile.
        self._parts_in_work: set[str] = set()
        # Finished folders never change.
        self._read: dict[Path, Manifest] = {}

    @property
    def current(self) -> Path | None:
        """The folder of the generation that readers see."""
        link = self.root / CURRENT
        return self.generations / link.readlink().name if link.is_symlink() and link.exists() else None

    def manifest(self) -> Manifest | None:
        return self._manifest_of(self.current) if self.current else None

    def paths(self) -> set[str]:
        """All that is published now."""
        return {path for _, manifest in self._parts() for path in manifest.files}

    @property
    def count(self) -> int:
        return len(self.paths())

    @contextlib.contextmanager
    def new_generation(self, *, rebuild: bool = False) -> Iterator[GenerationWriter]:
        """A draft of the next generation: it begins with all that is published, or with nothing.

        Leaving the block swaps it in; an exception leaves all as it was.
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
        """Remove what a killed publisher left half-made, and generations and archives that nobody reads any more."""
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
        """The generation, then its archive."""
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
        # A power cut must not leave a new name for files that never reached the disk.
        _reach_the_disk(draft.written)
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
    """The next generation while it is written. `put` and `drop` as often as needed. What others published meanwhile is
    kept, except for the paths that were put here."""

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
        """Have all that was put so far written through to the disk. That can take long on a busy one, so `meanwhile` is
        called now and then."""
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
        (self._archive if self._archive and is_past(path) else self._fresh).put(path, answer)

    def drop(self, path: str) -> None:
        self._dropped.add(path)
        for writer in (self._fresh, self._archive):
            if writer:
                writer.remove(path)

    def own_paths(self) -> list[str]:
        """The paths that the draft began with or was given, those of its old archive apart."""
        writers = [writer.files for writer in (self._fresh, self._archive) if writer]
        return list({path for files in (*writers, self._before[1].files if self._before else {}) for path in files})

    def holds(self, path: str, answer: Answer) -> bool:
        """Whether exactly this is published already."""
        digest = hashlib.sha256(answer.body).hexdigest()
        for part in (self._before, self._past):
            if part and (entry := part[1].files.get(path)):
                return entry.digest == digest and part[1].headers[entry.headers] == answer.headers
        return False

    @property
    def count(self) -> int:
        """How many paths the finished generation holds."""
        past = self._archive.files if self._archive else self._past[1].files if self._past else {}
        return len(self._fresh.files.keys() | past.keys())

    @property
    def written(self) -> list[Path]:
        """Files that are new, where they lie once the draft is finished."""
        writers = {self.tree.generations: self._fresh, self.tree.archives: self._archive}
        return [
            home / self.name / file.relative_to(writer.folder)
            for home, writer in writers.items()
            if writer
            for file in writer.written
        ]

    def finish(self) -> Path:
        # Others may have been finished since this one was begun.
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
        """The name of the archive that the new generation uses; a new one is made if it has to be."""
        if self._archive is None:
            past = self._past[1].files if self._past else {}
            overlay = sum(map(is_past, self._fresh.files))
            if not self._dropped & past.keys() and overlay <= MAX_OVERLAY:
                return self._before[1].archive if self._before else ""
            self._archive = self._compacted()
        if not self._archive.files:
            return ""
        self._archive.close()
        return self._archive.folder.rename(self.tree.archives / self.name).name

    def _compacted(self) -> FolderWriter:
        """Past incidents of the generation and of its old archive, together. They leave the generation's own writer."""
        archive = FolderWriter(self.tree.archives / self.part)
        fresh = Manifest(self._fresh.files, self._fresh.headers)
        moved = sorted(path for path in self._fresh.files if is_past(path))
        archive.adopt(self._fresh.folder, fresh, moved)
        for path in moved:
            self._fresh.remove(path)
        if self._past:
            archive.adopt(*self._past, sorted(self._past[1].files.keys() - archive.files.keys() - self._dropped))
        return archive


def _reach_the_disk(files: list[Path]) -> None:
    """Many at once: a file system's journal takes those that wait together in one go."""
    if len(files) > SYNCED_ALONE:
        os.sync()
        return
    with ThreadPoolExecutor(SYNCED_TOGETHER) as hands:
        for _ in hands.map(_sync, [*files, *{file.parent for file in files}]):
            pass


def _sync(file: Path) -> None:
    # What was taken out again within the draft is not there.
    with contextlib.suppress(FileNotFoundError):
        handle = os.open(file, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
