"""Redis is wanted and never there: nothing that staff or readers notice."""

import pytest

from tests.faults.fleet import Fleet, say, sized
from tests.live import Candor
from tests.servers import Redis, wait_until
from tests.smtp_sink_process import FastSink

READERS = sized(1000, 10_000)
# What the issue allows for publishing while the broker is gone.
PUBLISHING_SECONDS = 1.0


def test_every_mail_is_sent_while_redis_is_stopped(
    candor: Candor, fast_sink: FastSink, redis_server: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    redis_server.stop()
    candor.env["REDIS_URL"] = redis_server.url
    fleet = Fleet(candor, fast_sink)
    fleet.prepare(READERS)
    candor.start_dispatcher()
    wait_until(lambda: "Sending without workers" in candor.log, "the dispatcher has noticed", seconds=30)
    seconds = fleet.publish()
    wait_until(fleet.got(READERS), "every reader is told", seconds=60)
    assert fleet.states() == {"sent": READERS}
    assert fleet.doubles() == 0
    say(capsys, f"Redis down all the time: publishing took {seconds:.3f} s, {READERS} mails, lost 0, doubled 0")
    assert seconds < PUBLISHING_SECONDS
