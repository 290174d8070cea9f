import asyncio
import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import brotli
import pytest

from statuspage.common.published_folder import HOSTS
from statuspage.frontdoor import codings, published_pages
from statuspage.frontdoor.application import FrontDoor
from statuspage.frontdoor.config import Config, read_config
from statuspage.publishing.generation_writer import Answer, Tree
from tests.event_loop import EventLoop

HEADERS = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "default-src 'none'"}


def publish(folder: Path, page: str, texts: dict[str, str], *, rebuild: bool = True) -> None:
    with Tree(folder / page).new_generation(rebuild=rebuild) as draft:
        for path, text in texts.items():
            draft.put(path, Answer(text.encode(), HEADERS))


class Visitor:
    """Sends requests to a front door whose app is away: what it forwards is answered with 503."""

    def __init__(self, folder: Path, runner: EventLoop) -> None:
        self.door = FrontDoor(config_for(folder))
        self.runner = runner
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    def get(self, path: str, *, method: str = "GET", query: str = "", **headers: str) -> "Visitor":
        self.door.look()
        named = {"host": "status.example", **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": ("192.0.2.7", 1234),
        }
        self.has_sent = False
        self.runner.run(self.door(scope, self.receive, self.send))
        return self

    async def receive(self) -> dict[str, Any]:
        if self.has_sent:
            await asyncio.Event().wait()  # the client stays connected
        self.has_sent = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            pairs = [(name.decode().title(), value.decode()) for name, value in message["headers"]]
            self.status, self.headers, self.body = message["status"], dict(pairs), b""
            self.headers["ETag"] = self.headers.pop("Etag", "")
            assert len(self.headers) >= len(pairs), "no header twice"
        else:
            self.body += message["body"]


def config_for(folder: Path) -> Config:
    return replace(read_config({"DATA_DIR": str(folder.parent), "ENV_FILE": os.devnull}), published_dir=folder)


@pytest.fixture
def runner() -> Iterator[EventLoop]:
    with EventLoop() as runner:
        yield runner


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "published"
    folder.mkdir()
    publish(folder, "first", {"/": "<h1>All is well</h1>", "/incidents/abc": "an old incident"})
    publish(folder, "second", {"/": "<h1>Another page</h1>"})
    (folder / HOSTS).write_text(json.dumps({"": "first", "other.example": "second"}))
    return folder


@pytest.fixture
def visitor(folder: Path, runner: EventLoop) -> Iterator[Visitor]:
    visitor = Visitor(folder, runner)
    yield visitor
    runner.run(visitor.door.close())


def test_a_published_page_is_answered_with_the_headers_it_was_published_with(visitor: Visitor) -> None:
    visitor.get("/")
    assert (visitor.status, visitor.body) == (200, b"<h1>All is well</h1>")
    assert visitor.headers["Content-Type"] == "text/html; charset=utf-8"
    assert visitor.headers["Content-Security-Policy"] == "default-src 'none'"
    assert visitor.headers["Vary"] == "Accept-Encoding"
    assert visitor.headers["Content-Length"] == str(len(visitor.body))
    assert "Content-Encoding" not in visitor.headers


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("gzip;q=0", "identity"),
        ("deflate", "identity"),
        ("", "identity"),
    ],
)
def test_the_best_coding_that_the_visitor_takes_is_sent(visitor: Visitor, accepted: str, coding: str) -> None:
    visitor.get("/", accept_encoding=accepted)
    unpacked = {"br": brotli.decompress, "gzip": gzip.decompress, "identity": bytes}[coding](visitor.body)
    assert unpacked == b"<h1>All is well</h1>"
    assert visitor.headers.get("Content-Encoding", "identity") == coding


def test_codings_have_different_etags(visitor: Visitor) -> None:
    etags = {visitor.get("/", accept_encoding=coding).headers["ETag"] for coding in ("br", "gzip", "")}
    assert len(etags) == 3


def test_an_unchanged_page_is_answered_with_304_and_no_body(visitor: Visitor) -> None:
    etag = visitor.get("/").headers["ETag"]
    visitor.get("/", if_none_match=f'"something", W/{etag}')
    assert (visitor.status, visitor.body) == (304, b"")
    assert visitor.headers["ETag"] == etag
    assert "Content-Type" not in visitor.headers
    assert "Content-Length" not in visitor.headers
    assert visitor.headers["Vary"] == "Accept-Encoding"


def test_a_page_says_since_when_its_file_lies_there_even_if_it_is_not_sent_again(
    visitor: Visitor, folder: Path
) -> None:
    for file in (folder / "first/current").glob("index.html*"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    etag = visitor.get("/").headers["ETag"]
    assert visitor.headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    visitor.get("/", if_none_match=etag)
    assert visitor.headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"


def test_head_says_the_same_without_the_body(visitor: Visitor) -> None:
    expected = dict(visitor.get("/").headers)
    visitor.get("/", method="HEAD")
    assert (visitor.status, visitor.body, visitor.headers) == (200, b"", expected)


@pytest.mark.parametrize(
    ("path", "method", "query"),
    [("/console/", "GET", ""), ("/", "POST", ""), ("/", "GET", "page=2"), ("/no", "GET", "")],
)
def test_everything_else_needs_the_app(visitor: Visitor, path: str, method: str, query: str) -> None:
    visitor.get(path, method=method, query=query)
    assert (visitor.status, visitor.headers["Retry-After"]) == (503, "10")


@pytest.mark.parametrize(
    "path", ["/../hosts.json", "/manifest.json", "/archive/manifest.json", "/index.html", "/.lock"]
)
def test_only_what_the_manifest_names_is_served(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status == 503


def test_pages_are_told_apart_by_host_name(visitor: Visitor) -> None:
    assert visitor.get("/", host="Other.Example:8000").body == b"<h1>Another page</h1>"
    assert visitor.get("/", host="unknown.example").body == b"<h1>All is well</h1>"


def test_past_incidents_come_from_the_archive(visitor: Visitor) -> None:
    assert visitor.get("/incidents/abc").body == b"an old incident"


def test_a_new_generation_is_noticed(visitor: Visitor, folder: Path) -> None:
    old = visitor.get("/").headers["ETag"]
    publish(folder, "first", {"/": "<h1>All is broken</h1>"}, rebuild=False)
    visitor.get("/", if_none_match=old)
    assert (visitor.status, visitor.body) == (200, b"<h1>All is broken</h1>")
    assert visitor.get("/incidents/abc").body == b"an old incident"


def test_what_was_asked_for_once_outlives_the_folder(visitor: Visitor, folder: Path) -> None:
    visitor.get("/")
    folder.rename(folder.with_name("gone"))
    assert visitor.get("/").body == b"<h1>All is well</h1>"


def test_without_a_published_page_the_app_answers(tmp_path: Path, runner: EventLoop) -> None:
    visitor = Visitor(tmp_path / "nothing", runner)
    assert visitor.get("/").status == 503
    runner.run(visitor.door.close())


def test_a_damaged_manifest_changes_nothing(visitor: Visitor, folder: Path) -> None:
    visitor.get("/")
    (folder / HOSTS).write_text("{half")
    assert visitor.get("/").body == b"<h1>All is well</h1>"


def test_memory_is_bounded_and_the_rest_is_read_again(
    visitor: Visitor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {f"/incidents/{n}": str(n) * 1000 for n in range(10)}
    publish(folder, "first", texts)
    monkeypatch.setattr(published_pages, "MEMORY", 3000)
    for _ in range(2):
        for path, text in texts.items():
            assert visitor.get(path).body.decode() == text
    page = visitor.door.pages.page_of(b"status.example")
    assert page
    assert page.cache.size <= 3000
    assert sum(len(reply.body) for reply in page.cache.replies.values()) == page.cache.size


def test_a_new_generation_is_in_memory_before_it_is_served(visitor: Visitor, folder: Path) -> None:
    visitor.get("/incidents/abc", accept_encoding="br")
    publish(folder, "first", {"/incidents/abc": "changed"}, rebuild=False)
    visitor.door.look()
    page = visitor.door.pages.page_of(b"status.example")
    assert page
    assert ("/incidents/abc", "br") in page.cache.replies


@pytest.mark.parametrize("host", ["a b", "a/b", "x" * 10 + "\n", "[::1", "a:b", "é"])
@pytest.mark.parametrize("path", ["/", "/no"])
def test_an_invalid_host_is_refused(visitor: Visitor, host: str, path: str) -> None:
    assert visitor.get(path, host=host).status == 400


@pytest.mark.parametrize("host", ["status.example", "[2001:db8::1]:8000", "192.0.2.1", "other.example:443"])
def test_a_valid_host_is_served(visitor: Visitor, host: str) -> None:
    assert visitor.get("/", host=host).status == 200


def test_a_huge_accept_encoding_is_answered_uncompressed_and_not_remembered(visitor: Visitor) -> None:
    for number in range(50):
        assert "Content-Encoding" not in visitor.get("/", accept_encoding=f"gzip, {number:0300}").headers
    assert all(len(known) <= 256 for known in codings._known)
