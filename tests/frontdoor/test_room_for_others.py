"""Clients that occupy what the front door has only a limited number of keep no other client out."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from statuspage.frontdoor import bodies, forwarding
from statuspage.frontdoor.bodies import Body, BodyReader
from statuspage.frontdoor.config import read_config
from statuspage.frontdoor.forwarding import App, Queue
from statuspage.frontdoor.replies import Refusal
from tests.event_loop import EventLoop

SIZE = 30_000


def stalled(size: int = 0) -> Any:
    """A client that sends `size` bytes and then nothing."""
    pieces = [b"x" * size]

    async def receive() -> dict[str, Any]:
        if not pieces:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": pieces.pop(), "more_body": True}

    return receive


def complete(size: int) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * size, "more_body": False}

    return receive


def reader_in(folder: Path) -> BodyReader:
    reader = BodyReader(read_config({"ENV_FILE": os.devnull}))
    reader.folder = folder
    return reader


async def read_beside(reader: BodyReader, *, stalled_size: int) -> tuple[Body, list[int]]:
    """Read a body while two others stall. Return it, and the status of those that were refused."""
    others = [asyncio.create_task(reader.read("/console/x", [], stalled(stalled_size))) for _ in range(2)]
    await asyncio.sleep(0.01)
    body = await reader.read("/console/x", [], complete(SIZE))
    await asyncio.sleep(0.01)
    refused = [other.exception() for other in others if other.done()]
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    reader.close(body)
    return body, [error.status for error in refused if isinstance(error, Refusal)]


def test_the_oldest_body_that_stalls_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_AT_ONCE", 2)
    with EventLoop() as loop:
        _, refused = loop.run(read_beside(reader_in(tmp_path), stalled_size=1))
    assert refused == [503]


def test_the_oldest_upload_that_stalls_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "ON_DISK", 2 * SIZE)
    reader = reader_in(tmp_path)
    with EventLoop() as loop:
        _, refused = loop.run(read_beside(reader, stalled_size=SIZE))
    assert (refused, reader.on_disk) == ([503], 0)


async def with_a_place(queue: Queue, network: str, served: list[str]) -> None:
    async with queue.place(network):
        served.append(network)
        await asyncio.sleep(0)


async def served_and_refused(queue: Queue, *networks: str) -> tuple[list[str], int]:
    """Requests of `networks` arrive while all places are taken. Return those that are served, in order."""
    served: list[str] = []
    async with queue.place("z"):
        tasks = [asyncio.create_task(with_a_place(queue, network, served)) for network in networks]
        await asyncio.sleep(0)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    return served, sum(isinstance(result, Refusal) for result in results)


def test_one_client_cannot_take_all_places_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "WAITING", 4)
    monkeypatch.setattr(forwarding, "WAITING_OF_ONE", 3)
    with EventLoop() as loop:
        assert loop.run(served_and_refused(Queue(1), *"aaaabb")) == (["a", "b", "a", "a"], 2)


def test_those_who_leave_the_queue_take_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async def leave(queue: Queue) -> list[str]:
        served: list[str] = []
        async with queue.place("z"):
            tasks = [asyncio.create_task(with_a_place(queue, network, served)) for network in "abc"]
            await asyncio.sleep(0)
            tasks[0].cancel()
            await asyncio.sleep(0)
        tasks[1].cancel()  # its turn came in this moment
        await asyncio.gather(*tasks, return_exceptions=True)
        async with queue.place("d"):
            return served

    async def too_late(queue: Queue) -> int:
        async with queue.place("z"):
            with pytest.raises(Refusal) as refusal:
                await with_a_place(queue, "a", [])
        async with queue.place("b"):
            return refusal.value.status

    monkeypatch.setattr(forwarding, "WAIT_SECONDS", 0.01)
    with EventLoop() as loop:
        assert loop.run(leave(Queue(1))) == ["c"]
        assert loop.run(too_late(Queue(1))) == 503


async def networks_that_wait(trusted_proxies: int, *forwarded_for: bytes) -> set[str]:
    app = App(Path("app.sock"), 1, trusted_proxies)
    headers = [(b"x-forwarded-for", value) for value in forwarded_for]
    scope = {"client": ("192.0.2.1", 1234), "headers": headers}
    async with app.place_for(scope):
        task = asyncio.create_task(app.place_for(scope).__aenter__())
        await asyncio.sleep(0)
        networks = set(app._visitors._waiting)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return networks


def test_the_client_is_the_one_that_trusted_proxies_name() -> None:
    with EventLoop() as loop:
        assert loop.run(networks_that_wait(0, b"203.0.113.1")) == {"192.0.2.1"}
        assert loop.run(networks_that_wait(1, b"203.0.113.1", b"2001:db8::1")) == {"2001:db8::/64"}
