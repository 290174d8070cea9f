"""What real clients, slow and hostile ones too, get from the front door, and what the app gets from it."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.frontdoor.conftest import AWAY, Door, read_response
from tests.frontdoor.small_app import PIECE, PIECES
from tests.servers import wait_until

pytestmark = pytest.mark.xdist_group("door")


def post(path: str, length: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: status.example", f"Content-Length: {length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: status.example", *headers]).encode() + b"\r\n\r\n"


def test_stalled_bodies_delay_no_page_and_get_408(door: Door) -> None:
    stalled = [door.connect(post("/subscribe", 1000, body=b"em")) for _ in range(200)]
    assert door.seconds_for_page() < 2
    response = read_response(stalled[0])
    assert response.status == 408
    assert "not complete within 10 seconds" in response.body.decode()
    for connection in stalled:
        connection.close()


def test_half_open_headers_delay_no_page(door: Door) -> None:
    connections = [door.connect(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ") for _ in range(1100)]
    assert door.seconds_for_page() < 3
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/subscribe", 64 * 1024, 200),
        ("/subscribe", 64 * 1024 + 1, 413),
        ("/subscribe", 300 * 1024 * 1024, 413),
        ("/api/v2/subscribers.json", 10**15, 413),
        ("/console/p/abc/settings/logo", 2 * 1024 * 1024, 200),
        ("/v1/pages/abc/incidents", 300_000, 200),
        ("/console/p/abc/settings/logo", 4 * 1024 * 1024, 413),
    ],
)
def test_the_limit_of_a_body_depends_on_the_route(door: Door, path: str, length: int, status: int) -> None:
    response = door.ask(post(path, length, body=b"x" * (length if status == 200 else 0)))
    assert response.status == status
    if status == 200:
        assert json.loads(response.body)["bytes"] == length
    else:
        assert "too large" in response.body.decode()


def test_a_body_without_a_length_is_counted(door: Door) -> None:
    request = b"POST /subscribe HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    response = door.ask(request + b"10000\r\n" + b"x" * 0x10000 + b"\r\n2\r\nyy\r\n0\r\n\r\n")
    assert response.status == 413


@pytest.mark.parametrize("chunks", [b"zz\r\nab\r\n0\r\n\r\n", b"2\r\nab\r\n-1\r\n\r\n"])
def test_chunks_without_a_valid_length_are_refused(door: Door, chunks: bytes) -> None:
    response = door.ask(b"POST /subscribe HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert response.status == 400
    assert "not complete or not valid" in response.body.decode()


def test_clients_that_disconnect_in_their_body_leave_no_word_in_the_log(door: Door) -> None:
    before = door.candor.log
    for _ in range(5):
        door.connect(b"POST /subscribe HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab").close()
    assert door.candor.status("/") == 200
    time.sleep(0.5)
    assert door.candor.log == before


def test_programs_get_errors_as_json(door: Door) -> None:
    response = door.ask(post("/api/v2/subscribers.json", 10**8))
    assert json.loads(response.body)["error"].startswith("The request is too large")


@pytest.mark.parametrize("size", [300, 30_000])
def test_a_huge_accept_encoding_gets_the_page_uncompressed(door: Door, size: int) -> None:
    response = door.ask(get("/", f"Accept-Encoding: gzip, {'x' * size}"))
    assert (response.status, response.header("content-encoding")) == (200, "")


def test_headers_beyond_all_measure_are_refused(door: Door) -> None:
    assert door.ask(get("/", f"Accept-Encoding: {'x' * 300_000}")).status == 431


def test_a_bad_host_is_refused_without_a_word_in_the_log(door: Door) -> None:
    before = door.candor.log
    for path in (b"/", b"/echo"):
        assert door.ask(b"GET " + path + b" HTTP/1.1\r\nHost: a b/..\r\n\r\n").status == 400
    assert door.candor.log == before


def test_the_app_gets_the_address_of_the_peer_and_no_forged_headers(door: Door) -> None:
    forged = ("X-Candor-Client: 192.0.2.1", "X_Candor_Client: 192.0.2.2", "X_Forwarded_For: 192.0.2.3")
    response = door.ask(get("/echo?a=%20b", *forged, "X-Forwarded-For: 192.0.2.4", "X-Forwarded-For: 192.0.2.5"))
    seen = json.loads(response.body)
    assert seen["HTTP_X_CANDOR_CLIENT"] == "127.0.0.1"
    assert seen["HTTP_X_FORWARDED_FOR"] == "192.0.2.4, 192.0.2.5"
    assert (seen["PATH_INFO"], seen["QUERY_STRING"], seen["HTTP_HOST"]) == ("/echo", "a=%20b", "status.example")
    assert seen["REMOTE_ADDR"] == ""
    assert response.header("set-cookie") == "a=1, b=2"


def test_a_client_cannot_remove_what_a_proxy_has_added(door: Door) -> None:
    response = door.ask(get("/echo", "X-Forwarded-For: 192.0.2.4", "Connection: close, X-Forwarded-For"))
    assert json.loads(response.body)["HTTP_X_FORWARDED_FOR"] == "192.0.2.4"


def test_many_slow_views_delay_no_page_and_all_are_answered(door: Door) -> None:
    with ThreadPoolExecutor(24) as pool:
        slow = [pool.submit(door.candor.status, "/slow") for _ in range(12)]
        assert door.seconds_for_page() < 0.5
        assert {answer.result() for answer in slow} == {200}


def test_a_large_export_is_passed_on_whole_without_filling_the_memory(door: Door) -> None:
    before = memory(door)
    with door.connect(get("/export", "Connection: close")) as connection:
        received = len(connection.recv(1000))
        time.sleep(1)  # a client that does not read: what the app makes meanwhile must wait
        assert memory(door) - before < 12
        while piece := connection.recv(1 << 20):
            received += len(piece)
    assert received >= PIECE * PIECES


def memory(door: Door) -> float:
    """MiB that the front door's worker holds."""
    parent = door.candor.processes["web"].pid
    pids = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    sizes = [Path(f"/proc/{pid}/status").read_text(encoding="utf-8") for pid in pids]
    return max(int(match[1]) / 1024 for text in sizes if (match := re.search(r"VmRSS:\s+(\d+)", text)))


def test_without_the_app_the_page_is_there_and_all_else_gets_the_away_page(door: Door) -> None:
    door.candor.kill("app")
    try:
        assert door.candor.status("/") == 200
        response = door.ask(get("/subscribe"))
        assert (response.status, response.header("retry-after")) == (503, "10")
        assert response.body.decode() == AWAY
        assert "error" in json.loads(door.ask(get("/v1/pages")).body)
        assert door.candor.status("/livez") == 200
    finally:
        door.start_app()


def test_each_process_counts_its_requests(door: Door) -> None:
    (file,) = door.run.glob("requests-*.json")
    wait_until(lambda: json.loads(file.read_text())["forwarded"] > 0, "the counts are written")
    assert {"started", "published", "forwarded", "refused", "errors"} == set(json.loads(file.read_text()))
