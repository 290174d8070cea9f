"""`http.get`: a whole document, or none."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import LazySettings

from statuspage.common import outbound_http
from tests.receivers import Listener, Receiver, Reply, responding_with


@pytest.fixture(autouse=True)
def _loopback_allowed(settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]


@contextmanager
def answering(data: bytes) -> Iterator[str]:
    peer = Listener(responding_with(data))
    try:
        yield f"http://127.0.0.1:{peer.port}/"
    finally:
        peer.close()


def test_a_document_larger_than_a_webhooks_answer_arrives_whole(receiver: Receiver) -> None:
    receiver.reply = Reply(body=b"x" * 3_000_000)
    response = outbound_http.get(receiver.url("/history.json"), headers={"Accept": "application/json"})
    assert len(response.body) == 3_000_000
    assert receiver.requests[0].headers["accept"] == "application/json"
    assert receiver.requests[0].body == b""


def test_a_document_larger_than_the_limit_is_refused_before_all_of_it_is_read(receiver: Receiver) -> None:
    receiver.reply = Reply(body=b"x" * 300_000)
    with pytest.raises(outbound_http.TooLarge, match="larger than 100,000 bytes"):
        outbound_http.get(receiver.url(), headers={}, limit=100_000)


def test_endless_chunks_are_cut_at_the_limit() -> None:
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    with (
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 40) as url,
        pytest.raises(outbound_http.TooLarge),
    ):
        outbound_http.get(url, headers={}, limit=50_000)


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
def test_a_document_that_breaks_off_is_no_document(response: bytes) -> None:
    with answering(response) as url, pytest.raises(outbound_http.Unreachable, match="before it was complete"):
        outbound_http.get(url, headers={})


def test_private_addresses_are_refused_as_for_webhooks(settings: LazySettings, receiver: Receiver) -> None:
    settings.OUTBOUND_ALLOW = []
    with pytest.raises(outbound_http.ForbiddenAddress):
        outbound_http.get(receiver.url(), headers={})
    assert receiver.requests == []
