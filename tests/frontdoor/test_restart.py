"""A restart refuses no connection: the socket stays, and the old process stops after the new one is ready."""

import asyncio
import os
import signal
import socket
import sys
from collections import Counter
from pathlib import Path

import pytest

from statuspage.common.sockets import LISTEN_FD, READY_FD, bind_tcp
from tests.event_loop import EventLoop
from tests.faults.fleet import say, sized
from tests.frontdoor.conftest import Door
from tests.live import ROOT
from tests.servers import free_port

pytestmark = pytest.mark.xdist_group("door")

RATE, SECONDS, RESTARTS = sized(100, 500), sized(3, 12), sized(1, 4)


async def visitor(port: int, outcomes: Counter[str]) -> None:
    """Open a new connection and request the page."""
    try:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            outcomes[(await reader.read())[9:12].decode()] += 1
            writer.close()
    except (OSError, TimeoutError) as error:
        outcomes[type(error).__name__] += 1


async def start(door: Door, listening: socket.socket) -> asyncio.subprocess.Process:
    """Start a front door on the socket, as the supervisor does, and wait until it is ready."""
    ready, writes = os.pipe()
    environment = {**door.candor.environment, LISTEN_FD: str(listening.fileno()), READY_FD: str(writes)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "statuspage.frontdoor"),
        cwd=ROOT,
        env=environment,
        pass_fds=(listening.fileno(), writes),
    )
    os.close(writes)
    assert await asyncio.to_thread(os.read, ready, 1) == b"1"
    os.close(ready)
    return process


async def restart_under_load(door: Door, listening: socket.socket, port: int) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    process = await start(door, listening)
    visitors = [asyncio.create_task(later(number / RATE, port, outcomes)) for number in range(RATE * SECONDS)]
    for _ in range(RESTARTS):
        fresh = await start(door, listening)
        process.send_signal(signal.SIGTERM)
        await process.wait()
        process = fresh
    await asyncio.gather(*visitors)
    process.send_signal(signal.SIGTERM)
    await process.wait()
    return outcomes


async def later(seconds: float, port: int, outcomes: Counter[str]) -> None:
    await asyncio.sleep(seconds)
    await visitor(port, outcomes)


def test_restarts_under_load_refuse_no_connection(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with bind_tcp("127.0.0.1", port) as listening, EventLoop() as loop:
        listening.listen(1024)
        outcomes = loop.run(restart_under_load(door, listening, port))
    say(capsys, f"{RESTARTS} restarts at {RATE} new connections/s for {SECONDS} s: {dict(outcomes)}")
    assert outcomes == {"200": RATE * SECONDS}


def test_a_stopped_front_door_removes_its_counts(door: Door, tmp_path: Path) -> None:
    files = set(door.run.glob("requests-*.json"))
    assert len(files) == 1, "only the running one's"
