"""PostgreSQL stops at once in the middle of a fan-out, and starts again."""

from collections.abc import Iterator

import pytest

from statuspage.notifications.acknowledgements import MAX_IN_DOUBT
from tests.faults.fleet import Fleet, say, sized
from tests.live import Candor
from tests.servers import Postgres, Redis, wait_until
from tests.smtp_sink_process import FastSink

READERS = sized(2000, 10_000)
RECOVERING = 10.0
SENDERS, CONNECTIONS = 3, 4


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """One that may be stopped: other tests share the usual one."""
    server = Postgres()
    server.start()
    yield server
    server.stop()


def test_a_database_that_stops_at_once_loses_nothing(
    candor: Candor,
    fast_sink: FastSink,
    redis_server: Redis,
    own_postgres: Postgres,
    capsys: pytest.CaptureFixture[str],
) -> None:
    candor.env |= {"DATABASE_URL": own_postgres.create("stopped"), "REDIS_URL": redis_server.url}
    fleet = Fleet(candor, fast_sink)
    fleet.prepare(READERS)
    candor.start_dispatcher()
    fleet.start_workers("worker", processes=2)
    fast_sink.set(latency=0.02)
    fleet.publish()
    wait_until(fleet.got(READERS // 3), "some mails arrive", seconds=30)
    own_postgres.stop_at_once()
    own_postgres.start_again()
    sent = fleet.mails()
    recovering = fleet.seconds_until(lambda: fleet.mails() > sent + MAX_IN_DOUBT, "mails leave again")
    wait_until(lambda: fleet.readers_told() == READERS, "every reader is told", seconds=90)
    assert fleet.states() == {"sent": READERS}
    doubles = fleet.doubles()
    say(
        capsys,
        f"PostgreSQL stopped at once: {READERS} mails, lost 0, doubled {doubles}, sending again {recovering:.1f} s "
        "after it was back",
    )
    assert recovering < RECOVERING
    # Every sender waits for the database with what it could not mark; at worst all of that is sent once more.
    assert doubles <= SENDERS * (MAX_IN_DOUBT + CONNECTIONS)
