"""`kill -9` in the middle of a fan-out, again and again: none lost, and few doubled."""

import time

import pytest

from statuspage.notifications.acknowledgements import MAX_IN_DOUBT
from tests.faults.fleet import Fleet, chance, say, sized
from tests.live import Candor
from tests.servers import Postgres, Redis, wait_until
from tests.smtp_sink_process import FastSink

# Seconds for each round trip to the mail server: an ordinary one, so that there is a middle to kill in.
LATENCY = 0.02
CONNECTIONS = 4
KILLS = 10
# Seconds that a worker takes until it sends.
BOOTING = 4.0


def report(capsys: pytest.CaptureFixture[str], fleet: Fleet, what: str, *, readers: int, allowed: int) -> None:
    doubles, lost = fleet.doubles(), readers - fleet.readers_told()
    copies = ", ".join(f"{count} came {times}x" for times, count in sorted(fleet.sink.copies().items()))
    say(capsys, f"{what}: {readers} mails, lost {lost}, doubled {doubles} (allowed {allowed}): {copies}")
    assert doubles <= allowed


def at_work(started: dict[str, float]) -> list[str]:
    """The workers that have been there long enough to be in the middle of something."""

    def ready() -> list[str]:
        return [name for name, at in started.items() if time.monotonic() - at >= BOOTING]

    names: list[str] = wait_until(ready, "a worker is at work")
    return names


def test_a_killed_dispatcher_loses_nothing(
    candor: Candor, fast_sink: FastSink, capsys: pytest.CaptureFixture[str]
) -> None:
    readers = 1500
    fleet = Fleet(candor, fast_sink)
    fleet.prepare(readers)
    fast_sink.set(latency=LATENCY)
    candor.start_dispatcher()
    fleet.publish()
    wait_until(fleet.got(readers // 3), "some mails arrive", seconds=30)
    candor.kill("dispatcher")
    assert fleet.readers_told() < readers, "killed too late to show anything"
    candor.start_dispatcher()
    wait_until(lambda: fleet.readers_told() == readers, "every reader is told", seconds=60)
    assert fleet.states() == {"sent": readers}
    report(capsys, fleet, "dispatcher killed, SQLite", readers=readers, allowed=MAX_IN_DOUBT + CONNECTIONS)


def test_ten_killed_workers_lose_nothing(
    candor: Candor,
    fast_sink: FastSink,
    redis_server: Redis,
    postgres_server: Postgres,
    capsys: pytest.CaptureFixture[str],
) -> None:
    readers = sized(4000, 10_000)
    candor.env |= {"DATABASE_URL": postgres_server.create("kill"), "REDIS_URL": redis_server.url}
    fleet = Fleet(candor, fast_sink)
    fleet.prepare(readers)
    names = [f"worker{number}" for number in range(3)]
    candor.start_dispatcher()
    fleet.start_workers(*names)
    started = dict.fromkeys(names, time.monotonic() - BOOTING)
    fast_sink.set(latency=LATENCY)
    fleet.publish()
    killer = chance()
    for kill in range(1, KILLS + 1):
        wait_until(fleet.got(kill * readers // (KILLS + 1)), "mails arrive", seconds=60)
        name = killer.choice(at_work(started))
        candor.kill(name)
        candor.start_worker(name, processes=1)
        started[name] = time.monotonic()
    assert fleet.readers_told() < readers, "killed too late to show anything"
    last_kill = time.monotonic()
    wait_until(lambda: fleet.readers_told() == readers, "every reader is told", seconds=120)
    seconds = time.monotonic() - last_kill
    assert fleet.states() == {"sent": readers}
    # On each connection: one that was not answered yet, and one whose answer was not marked yet.
    report(capsys, fleet, "ten workers killed, PostgreSQL", readers=readers, allowed=2 * CONNECTIONS * KILLS)
    say(capsys, f"ten workers killed: all told {seconds:.1f} s after the last kill")
