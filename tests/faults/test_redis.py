"""Redis forgets, freezes while its name moves, refuses, and cannot be found.

The name that moves is an address of a forwarder (tests/forwarder.py): what workers and dispatcher hold on to hangs,
and what they connect anew reaches an empty server. Simulated is what a client sees of it, not a resolver.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.fleet import Fleet, say, sized
from tests.forwarder import Forwarder
from tests.live import Candor
from tests.servers import Postgres, Redis, wait_until
from tests.smtp_sink_process import FastSink

READERS = sized(2000, 10_000)
LATENCY = 0.02
# What the promise allows, in seconds.
PUBLISHING, RESUMING, MOVING = 1.0, 10.0, 30.0


@pytest.fixture
def second_redis(tmp_path: Path) -> Iterator[Redis]:
    (tmp_path / "second").mkdir()
    server = Redis(tmp_path / "second")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def forwarder(redis_server: Redis) -> Iterator[Forwarder]:
    forwarder = Forwarder(redis_server.port)
    forwarder.start()
    yield forwarder
    forwarder.stop()


@pytest.fixture
def fleet(candor: Candor, fast_sink: FastSink, postgres_server: Postgres, request: pytest.FixtureRequest) -> Fleet:
    candor.env["DATABASE_URL"] = postgres_server.create(request.node.name[:60])
    return Fleet(candor, fast_sink)


def begin(fleet: Fleet, redis_url: str) -> None:
    """Dispatcher and worker are up, and a third of the mails has left."""
    fleet.candor.env["REDIS_URL"] = redis_url
    fleet.prepare(READERS)
    fleet.candor.start_dispatcher()
    fleet.start_workers("worker", processes=2)
    fleet.sink.set(latency=LATENCY)
    fleet.publish()
    wait_until(fleet.got(READERS // 3), "some mails arrive", seconds=30)


def longest_silence(fleet: Fleet) -> float:
    """Until every reader is told: the longest time, in seconds, without a new mail."""
    longest, since, mails = 0.0, time.monotonic(), fleet.mails()
    while fleet.readers_told() < READERS:
        time.sleep(0.02)
        if (now := fleet.mails()) > mails:
            mails, since = now, time.monotonic()
        longest = max(longest, time.monotonic() - since)
        assert longest < 60, "nothing is sent any more"
    return longest


def test_what_redis_forgot_is_sent_all_the_same(
    fleet: Fleet, redis_server: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(fleet, redis_server.url)
    redis_server.flush()
    silence = longest_silence(fleet)
    assert fleet.states() == {"sent": READERS}
    doubles = fleet.doubles()
    say(capsys, f"FLUSHALL: {READERS} mails, lost 0, doubled {doubles}, longest silence {silence:.2f} s")
    assert silence < RESUMING
    assert doubles == 0


def test_a_redis_that_freezes_while_its_name_moves_holds_nobody_up(
    fleet: Fleet, redis_server: Redis, second_redis: Redis, forwarder: Forwarder, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(fleet, f"redis://127.0.0.1:{forwarder.port}/0")
    redis_server.freeze()
    forwarder.move(second_redis.port)
    with ThreadPoolExecutor(1) as watcher:
        arrival = watcher.submit(fleet.seconds_until, second_redis.was_asked_for_work, "a worker is at the new server")
        publishing = fleet.publish()
        silence = longest_silence(fleet)
        moving = arrival.result()
    wait_until(lambda: fleet.mails() >= 2 * READERS, "the second news is told", seconds=60)
    assert fleet.states() == {"sent": 2 * READERS}
    stat = fleet.sink.stat()
    assert stat["mails"] == stat["ids"] == 2 * READERS, "none is doubled"
    say(
        capsys,
        f"Redis frozen and moved: {2 * READERS} mails, lost 0, doubled 0, publishing {publishing:.3f} s, longest "
        f"silence {silence:.2f} s, workers on the new server after {moving:.1f} s",
    )
    assert publishing < PUBLISHING
    assert moving < MOVING
    redis_server.thaw()


def test_a_redis_that_refuses_for_a_while_holds_nobody_up(
    fleet: Fleet, redis_server: Redis, forwarder: Forwarder, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(fleet, f"redis://127.0.0.1:{forwarder.port}/0")
    forwarder.refuse()
    publishing = fleet.publish()
    silence = longest_silence(fleet)
    wait_until(lambda: fleet.mails() >= 2 * READERS, "the second news is told", seconds=60)
    forwarder.start()
    back = fleet.seconds_until(redis_server.has_waiting_worker, "a worker is back")
    assert fleet.states() == {"sent": 2 * READERS}
    stat = fleet.sink.stat()
    assert stat["mails"] == stat["ids"] == 2 * READERS, "none is doubled"
    say(
        capsys,
        f"Redis refused: {2 * READERS} mails, lost 0, doubled 0, publishing {publishing:.3f} s, longest silence "
        f"{silence:.2f} s, workers back {back:.1f} s after it",
    )
    assert publishing < PUBLISHING


def test_a_redis_that_cannot_be_found_holds_nobody_up(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    fleet.candor.env["REDIS_URL"] = "redis://redis.invalid:6379/0"
    fleet.prepare(READERS)
    fleet.candor.start_dispatcher()
    fleet.candor.start_worker()
    fleet.sink.set(latency=LATENCY)
    publishing = fleet.publish()
    seconds = fleet.seconds_until(lambda: fleet.readers_told() == READERS, "every reader is told", seconds=180)
    assert fleet.states() == {"sent": READERS}
    say(
        capsys,
        f"Redis unresolvable: {READERS} mails, lost 0, doubled 0, publishing {publishing:.3f} s, all sent in "
        f"{seconds:.1f} s",
    )
    assert publishing < PUBLISHING
    assert fleet.doubles() == 0
