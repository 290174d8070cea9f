"""A published page as a reader of files sees it."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest

from incidents.models import Page
from statuspage.common.published_folder import Manifest, file_of, read_manifest
from statuspage.public import published_paths
from statuspage.publishing import page_files as page_files_module
from statuspage.publishing.generation_writer import Tree
from statuspage.publishing.page_files import PageFiles, tree_of
from statuspage.publishing.publisher import PagePublisher


def as_text(body: bytes) -> str:
    """Pictures too, no byte lost."""
    return body.decode(errors="surrogateescape")


def parts(tree: Tree) -> Iterator[tuple[Path, Manifest]]:
    """The generation, then its archive."""
    assert tree.current
    folder = tree.current
    manifest = read_manifest(folder)
    yield folder, manifest
    if manifest.archive:
        yield folder / "archive", read_manifest(folder / "archive")


def shown(tree: Tree) -> dict[str, str]:
    """What readers get, every coding checked against the manifest's hash."""
    texts: dict[str, str] = {}
    for folder, manifest in parts(tree):
        for path, entry in manifest.files.items():
            file = folder / file_of(path)
            body = file.read_bytes()
            assert hashlib.sha256(body).hexdigest() == entry.digest
            assert gzip.decompress(file.with_name(file.name + ".gz").read_bytes()) == body
            assert brotli.decompress(file.with_name(file.name + ".br").read_bytes()) == body
            texts.setdefault(path, as_text(body))
    return texts


def stray(tree: Tree) -> list[str]:
    """Files that a web server beside us would serve though no manifest names them."""
    strays = []
    for folder, manifest in parts(tree):
        named = {file_of(path) + suffix for path in manifest.files for suffix in ("", ".gz", ".br")} | {"manifest.json"}
        lying = [file for file in folder.resolve().rglob("*") if file.is_file()]
        strays += [name for file in lying if (name := str(file.relative_to(folder.resolve()))) not in named]
    return strays


def published(page: Page) -> dict[str, str]:
    return shown(tree_of(page.public_id))


def page_files(page: Page) -> PageFiles:
    return PageFiles(page, tree_of(page.public_id), published_paths)


def page_publisher(page: Page) -> PagePublisher:
    return PagePublisher(page.public_id, published_paths)


def set_many_events(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Have more than `count` new events at once published by a rebuild."""
    for module in (page_files_module, published_paths):
        monkeypatch.setattr(module, "MANY_EVENTS", count)
