"""`kill -9` in the middle of 2,000 mails, and start again: none lost, and few doubled."""

import pytest

from statuspage.subscribers.marker import MAX_IN_DOUBT
from tests.faults.fleet import Fleet, say
from tests.live import Candor
from tests.servers import Postgres, Redis, SmtpSink, wait_until

READERS = 2000
KILLED_AFTER = 700


def report(capsys: pytest.CaptureFixture[str], fleet: Fleet, what: str, allowed: int) -> None:
    doubles, lost = fleet.doubles(), READERS - fleet.readers_told()
    say(capsys, f"{what}: {READERS} mails, lost {lost}, doubled {doubles} (allowed {allowed})")
    assert doubles <= allowed


def test_a_killed_dispatcher_loses_nothing(
    candor: Candor, smtp_sink: SmtpSink, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = Fleet(candor, smtp_sink)
    fleet.prepare(READERS)
    candor.start_dispatcher()
    fleet.publish()
    wait_until(fleet.got(KILLED_AFTER), "some mails arrive", seconds=30)
    candor.kill("dispatcher")
    assert fleet.readers_told() < READERS, "killed too late to show anything"
    candor.start_dispatcher()
    wait_until(lambda: fleet.readers_told() == READERS, "every reader is told", seconds=60)
    assert fleet.states() == {"sent": READERS}
    # One flush of the marker, and the mail that was being handed over.
    report(capsys, fleet, "dispatcher killed, SQLite", allowed=MAX_IN_DOUBT + 1)


def test_a_killed_worker_loses_nothing(
    candor: Candor,
    smtp_sink: SmtpSink,
    redis_server: Redis,
    postgres_server: Postgres,
    capsys: pytest.CaptureFixture[str],
) -> None:
    candor.env |= {"DATABASE_URL": postgres_server.create("kill"), "REDIS_URL": redis_server.url}
    fleet = Fleet(candor, smtp_sink)
    fleet.prepare(READERS)
    candor.start_dispatcher()
    candor.start_worker()
    wait_until(lambda: fleet.told(WORKER_BEATS), "a worker answers the doorbell", seconds=60)
    fleet.publish()
    wait_until(fleet.got(KILLED_AFTER), "some mails arrive", seconds=30)
    candor.kill("worker")
    assert fleet.readers_told() < READERS, "killed too late to show anything"
    candor.start_worker()
    wait_until(lambda: fleet.readers_told() == READERS, "every reader is told", seconds=60)
    assert fleet.states() == {"sent": READERS}
    # Two processes, each with its own marker.
    report(capsys, fleet, "worker killed, PostgreSQL and Redis", allowed=2 * (MAX_IN_DOUBT + 1))


WORKER_BEATS = """
import json
from statuspage.subscribers.models import Heartbeat
print(json.dumps(Heartbeat.objects.is_alive("worker")))
"""
