import signal
import time
from collections.abc import Iterator

import pytest
from celery import Celery

from statuspage.celery import app as configured
from statuspage.notifications.worker_wakeup import WorkerWakeup
from tests.servers import Redis, wait_until


@pytest.fixture
def app(redis_server: Redis) -> Iterator[Celery]:
    """The product's settings, with a broker of the test's own."""
    app = Celery("candor", broker=redis_server.url, set_as_current=False)
    app.conf.update(
        broker_transport_options=configured.conf.broker_transport_options,
        task_default_queue=configured.conf.task_default_queue,
    )
    yield app
    app.close()


def waiting(app: Celery) -> int:
    """How many wake-ups lie in the queue."""
    with app.connection_for_read() as connection:
        count: int = connection.default_channel.client.llen("candor")
        return count


def test_a_ring_leaves_a_wake_up_in_the_queue(app: Celery) -> None:
    doorbell = WorkerWakeup(app)
    doorbell.notify("subscribers.deliver", "email")
    wait_until(lambda: waiting(app) == 1, "the wake-up arrives")
    assert doorbell.works


def test_a_stopped_broker_is_noticed_and_found_again(app: Celery, redis_server: Redis) -> None:
    doorbell = WorkerWakeup(app)
    redis_server.stop()
    doorbell.notify("subscribers.deliver", "email")
    wait_until(lambda: not doorbell.works, "the doorbell is known to be dead")
    redis_server.start()

    def rings() -> bool:
        doorbell.notify("subscribers.deliver", "email")
        time.sleep(0.1)
        return doorbell.works and waiting(app) > 0

    wait_until(rings, "the doorbell works again")


def test_a_frozen_broker_never_holds_the_ringer_up(app: Celery, redis_server: Redis) -> None:
    assert redis_server.process is not None
    doorbell = WorkerWakeup(app)
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        for _ in range(100):
            doorbell.notify("subscribers.deliver", "email")
        took = time.monotonic() - started
        wait_until(lambda: not doorbell.works, "the doorbell is not counted on")
        # Not a speed: the broker's own timeout would be ten seconds.
        assert took < 5
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
    wait_until(lambda: doorbell.works, "the doorbell works again")
