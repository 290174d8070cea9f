"""The dispatcher as a process: it sends, stops cleanly, and survives its database."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fleet import Fleet
from tests.live import Candor
from tests.servers import stop_process, wait_until
from tests.smtp_sink_process import FastSink


@pytest.fixture
def fleet(candor: Candor, fast_sink: FastSink) -> Fleet:
    fleet = Fleet(candor, fast_sink)
    fleet.prepare(readers=300)
    return fleet


def database(fleet: Fleet, statement: str) -> list[tuple[Any, ...]]:
    path = Path(fleet.candor.environment["DATA_DIR"]) / "private/candor.sqlite3"
    with closing(sqlite3.connect(path, timeout=20)) as connection, connection:
        return connection.execute(statement).fetchall()


def test_stopping_finishes_the_current_email_and_releases_the_rest(fleet: Fleet) -> None:
    fleet.sink.set(latency=0.02)
    process = fleet.candor.start_dispatcher()
    fleet.publish()
    wait_until(fleet.got(20), "some mails arrive")
    stop_process(process)
    assert process.returncode == 0, fleet.candor.log
    states = dict(database(fleet, "select state, count(*) from notifications_delivery group by state"))
    assert states["sent"] == fleet.mails() < 300
    assert states["queued"] == 300 - states["sent"]
    assert database(fleet, "select * from notifications_delivery where lease_until is not null") == []
    fleet.candor.manage("dispatch", "--drain")
    assert fleet.readers_told() == 300
    assert fleet.doubles() == 0


def test_the_dispatcher_reconnects_after_a_database_failure(fleet: Fleet) -> None:
    process = fleet.candor.start_dispatcher()
    wait_until(lambda: fleet.run_json(ALIVE), "the dispatcher is up")
    database(fleet, "alter table incidents_event rename to away")
    wait_until(lambda: "The database cannot be used" in fleet.candor.log, "the dispatcher notices")
    database(fleet, "alter table away rename to incidents_event")
    fleet.publish()
    wait_until(fleet.got(300), "every reader is told")
    assert process.poll() is None


def test_once_and_drain_exit_when_done(fleet: Fleet) -> None:
    fleet.publish()
    assert "deliveries processed" in fleet.candor.manage("dispatch", "--once")
    fleet.candor.manage("dispatch", "--drain")
    assert fleet.readers_told() == 300
    assert fleet.doubles() == 0


ALIVE = """
import json
from statuspage.notifications.models import Heartbeat
print(json.dumps(Heartbeat.objects.is_alive("dispatcher")))
"""
