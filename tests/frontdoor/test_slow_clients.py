"""Clients that send or read too slowly keep no connection."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from statuspage.frontdoor import bodies, slow_readers
from statuspage.frontdoor.bodies import BodyReader
from statuspage.frontdoor.config import read_config
from statuspage.frontdoor.replies import Refusal
from statuspage.frontdoor.slow_readers import BYTES_PER_SECOND, LOOK_EVERY, PATIENCE, SlowReaders, open_files
from tests.event_loop import EventLoop


@contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A server's socket that has sent all that fits into the buffers, and its client's."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect(listening.getsockname())
        server = stack.enter_context(listening.accept()[0])
        server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        server.settimeout(0)
        fill(server)
        yield server, client


def fill(server: socket.socket) -> None:
    try:
        while True:
            server.send(b"x" * 65536)
    except BlockingIOError:
        return


def read_all(client: socket.socket) -> None:
    while client.recv(65536):
        pass


def is_open(server: socket.socket) -> bool:
    try:
        server.send(b"x")
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def test_a_client_that_does_not_read_is_disconnected() -> None:
    readers = SlowReaders()
    with connected() as (server, client):
        looks = [readers.look([server.fileno()], now) for now in (0.0, PATIENCE - 0.1)]
        assert (looks, is_open(server)) == ([0, 0], True)
        assert readers.look([server.fileno()], PATIENCE) == 1
        assert not is_open(server)
        server.close()
        with pytest.raises(ConnectionResetError):
            read_all(client)


def test_with_many_connections_it_is_disconnected_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_readers, "CROWDED", 0)
    readers = SlowReaders()
    with connected() as (server, _client):
        assert [readers.look([server.fileno()], now) for now in (0.0, LOOK_EVERY)] == [0, 1]


def test_a_client_that_reads_slowly_is_served() -> None:
    readers = SlowReaders()
    with connected() as (server, client):
        for number in range(20):
            assert readers.look([server.fileno()], number * LOOK_EVERY) == 0
            left = BYTES_PER_SECOND * LOOK_EVERY * 4
            while left > 0:
                left -= len(client.recv(65536))
                fill(server)
        assert is_open(server)


def test_a_client_that_reads_a_few_bytes_now_and_then_is_disconnected() -> None:
    readers = SlowReaders()
    with connected() as (server, client):
        ended = 0
        for number in range(6):
            ended += readers.look([server.fileno()], number * LOOK_EVERY)
            if not ended:
                client.recv(100)
        assert (ended, is_open(server)) == (1, False)


def test_connections_without_waiting_data_and_other_files_are_left_alone() -> None:
    readers = SlowReaders()
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(listening.getsockname()))
        server = stack.enter_context(listening.accept()[0])
        pair = socket.socketpair()
        for end in pair:
            stack.enter_context(end)
        pair[0].settimeout(0)
        fill(pair[0])
        pipe = os.pipe()
        for file in pipe:
            stack.callback(os.close, file)
        files = [*pipe, server.fileno(), client.fileno(), listening.fileno(), pair[0].fileno(), 10**6]
        before = open_files()
        assert [readers.look(files, now) for now in (0.0, 100.0, 200.0)] == [0, 0, 0]
        assert (is_open(server), open_files()) == (True, before)


def test_a_body_that_is_too_large_is_not_read_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte before each pause ends: without a limit in total, this would occupy the connection for hours."""

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def refused() -> int:
        reader = BodyReader(read_config({"ENV_FILE": os.devnull}))
        with pytest.raises(Refusal) as refusal:
            await asyncio.wait_for(reader.read("/subscribe", [(b"content-length", b"9999999")], receive), 20)
        return refusal.value.status

    monkeypatch.setattr(bodies, "DRAIN_SECONDS", 0.1, raising=False)
    with EventLoop() as loop:
        assert loop.run(refused()) == 413
