"""A folder of plain files, laid out as a web root: for rsync, a static host, or a mounted disk."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from urllib.parse import SplitResult, unquote

from statuspage.common.published_folder import CODINGS, file_of
from statuspage.publishing.targets.base import INVENTORY, STATIC, Item, Target, TargetConfigError


class FileTarget(Target):
    def __init__(self, name: str, page: str, root: Path) -> None:
        super().__init__(name, page)
        self.root = root

    def put(self, item: Item) -> None:
        """Write the file, with its `.gz` and `.br` if they exist."""
        place = self._place(item.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        for suffix in CODINGS.values():
            file, wanted = item.file.with_name(item.file.name + suffix), place.with_name(place.name + suffix)
            if file.exists():
                _replace(wanted, file)
            elif suffix:
                wanted.unlink(missing_ok=True)

    def remove(self, path: str) -> None:
        place = self._place(path)
        for suffix in CODINGS.values():
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty
            if place.parent != self.root:
                place.parent.rmdir()

    def has_inventory(self) -> bool:
        return (self.root / INVENTORY).exists()

    def read_inventory(self) -> bytes | None:
        with contextlib.suppress(FileNotFoundError):
            return (self.root / INVENTORY).read_bytes()
        return None

    def write_inventory(self, content: bytes) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        part = self.root / f"{INVENTORY}.part"
        part.write_bytes(content)
        part.replace(self.root / INVENTORY)

    def _place(self, path: str) -> Path:
        place = self.root / (path.lstrip("/") if path.startswith(STATIC) else file_of(path))
        if ".." in place.parts:
            raise ValueError(f"{path} is outside of {self.root}.")
        return place


def files(url: SplitResult, page: str, options: dict[str, str]) -> FileTarget:
    if url.netloc or not url.path.strip("/"):
        raise TargetConfigError("Enter a folder with its absolute path, for example file:///srv/status.")
    if options:
        raise TargetConfigError(f"Unknown option “{next(iter(options))}” of file://. The only option is page.")
    return FileTarget(f"file://{url.path}", page, Path(unquote(url.path)))


def _replace(wanted: Path, file: Path) -> None:
    """Replace a file atomically and keep its modification time, which becomes Last-Modified."""
    part = wanted.with_name(f".{wanted.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(file, part)
        shutil.copystat(file, part)
        part.replace(wanted)
    finally:
        part.unlink(missing_ok=True)
