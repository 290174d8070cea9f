import gzip
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import brotli
import pytest

from statuspage import frontdoor
from statuspage.common.published_folder import HOSTS
from statuspage.frontdoor import FrontDoor
from statuspage.publishing.generation_writer import Answer, Tree

HEADERS = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "default-src 'none'"}


def publish(folder: Path, page: str, texts: dict[str, str], *, rebuild: bool = True) -> None:
    with Tree(folder / page).new_generation(rebuild=rebuild) as draft:
        for path, text in texts.items():
            draft.put(path, Answer(text.encode(), HEADERS))


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("418 I'm a teapot", [])
    return [b"from the application"]


class Visitor:
    def __init__(self, door: FrontDoor) -> None:
        self.door = door
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    def get(self, path: str, *, method: str = "GET", query: str = "", **headers: str) -> "Visitor":
        def start_response(status: str, pairs: list[tuple[str, str]]) -> None:
            self.status, self.headers = int(status.split()[0]), dict(pairs)
            assert len(self.headers) == len(pairs), "no header twice"

        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": "status.example"}
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        self.body = b"".join(self.door(environ, start_response))
        return self


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(frontdoor, "LOOK_EVERY", -1.0)
    publish(tmp_path, "first", {"/": "<h1>All is well</h1>", "/incidents/abc": "an old incident"})
    publish(tmp_path, "second", {"/": "<h1>Another page</h1>"})
    (tmp_path / HOSTS).write_text(json.dumps({"": "first", "other.example": "second"}))
    return tmp_path


@pytest.fixture
def visitor(folder: Path) -> Visitor:
    return Visitor(FrontDoor(folder, application))


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
def test_everything_else_goes_to_the_application(visitor: Visitor, path: str, method: str, query: str) -> None:
    visitor.get(path, method=method, query=query)
    assert visitor.body == b"from the application"


@pytest.mark.parametrize(
    "path", ["/../hosts.json", "/manifest.json", "/archive/manifest.json", "/index.html", "/.lock"]
)
def test_only_what_the_manifest_names_is_served(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status == 418


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


def test_without_a_published_page_the_application_answers(tmp_path: Path) -> None:
    assert Visitor(FrontDoor(tmp_path / "nothing", application)).get("/").status == 418


def test_a_damaged_manifest_changes_nothing(visitor: Visitor, folder: Path) -> None:
    visitor.get("/")
    (folder / HOSTS).write_text("{half")
    assert visitor.get("/").body == b"<h1>All is well</h1>"


def test_memory_is_bounded_and_the_rest_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {f"/incidents/{n}": str(n) * 1000 for n in range(10)}
    publish(folder, "first", texts)
    monkeypatch.setattr(frontdoor, "MEMORY", 3000)
    door = FrontDoor(folder, application)
    visitor = Visitor(door)
    for _ in range(2):
        for path, text in texts.items():
            assert visitor.get(path).body.decode() == text
    page = door._pages["first"]
    assert page.size <= 3000
    assert sum(len(reply.body) for reply in page.replies.values()) == page.size
