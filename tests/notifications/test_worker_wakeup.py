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


def test_notify_puts_a_wake_up_into_the_queue(app: Celery) -> None:
    wakeup = WorkerWakeup(app)
    wakeup.notify("notifications.deliver", "email")
    wait_until(lambda: waiting(app) == 1, "the wake-up arrives")
    assert wakeup.works


def test_a_stopped_broker_is_noticed_and_found_again(app: Celery, redis_server: Redis) -> None:
    wakeup = WorkerWakeup(app)
    redis_server.stop()
    wakeup.notify("notifications.deliver", "email")
    wait_until(lambda: not wakeup.works, "the broker is known to be unreachable")
    redis_server.start()

    def arrives() -> bool:
        wakeup.notify("notifications.deliver", "email")
        time.sleep(0.1)
        return wakeup.works and waiting(app) > 0

    wait_until(arrives, "the broker is reachable again")


def test_a_frozen_broker_never_blocks_the_dispatcher(app: Celery, redis_server: Redis) -> None:
    assert redis_server.process is not None
    wakeup = WorkerWakeup(app)
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        for _ in range(100):
            wakeup.notify("notifications.deliver", "email")
        took = time.monotonic() - started
        wait_until(lambda: not wakeup.works, "the wake-up is known to be stuck")
        # Not a speed: the broker's own timeout would be ten seconds.
        assert took < 5
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
    wait_until(lambda: wakeup.works, "the broker is reachable again")
