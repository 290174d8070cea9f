"""The published page while everybody reads it and everything behind it is gone.

A few seconds for each fault in CI; CANDOR_FAULTS=full is two minutes for each, with 2,000 requests a second.
"""

import http.client
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.faults.fleet import say, sized
from tests.faults.load import Load
from tests.live import Candor
from tests.publishing.webserver import Nginx, start_web, stop_web
from tests.servers import Postgres, Redis, accepts

pytestmark = pytest.mark.xdist_group("load")

RATE, SECONDS = sized(300, 2000), sized(2, 120)
ENOUGH = 0.999
PREPARE = """
from incidents.actions.components.component_lifecycle import create_component
from incidents.actions.incidents.incident_lifecycle import open_incident
from incidents.actor import SYSTEM
from incidents.models import Page
page = Page.objects.get()
api = create_component(page, name="REST API", actor=SYSTEM)
broken = {api: "major_outage"}
print(open_incident(page, title="API outage", body="We look.", components=broken, actor=SYSTEM).public_id)
"""


@dataclass
class House:
    """The whole product, its servers, and nginx before it."""

    candor: Candor
    postgres: Postgres
    redis: Redis
    nginx: Nginx
    paths: list[str]

    def lose_database(self) -> None:
        self.postgres.stop_at_once()
        assert self.status("/?x") == 503, "what Django answers needs the database"

    def lose_redis(self) -> None:
        self.redis.stop()
        assert not accepts(self.redis.port)

    def lose_dispatcher(self) -> None:
        self.candor.kill("dispatcher")

    def lose_all_three(self) -> None:
        self.lose_redis()
        self.lose_dispatcher()
        self.lose_database()

    def lose_application(self) -> None:
        stop_web(self.candor)
        assert self.status("/subscribe", port=self.nginx.port) == 502

    def status(self, path: str, *, port: int = 0) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.candor.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def mend(self) -> None:
        if not accepts(self.postgres.port):
            self.postgres.start_again()
        if not accepts(self.redis.port):
            self.redis.start()
        if "web" not in self.candor.processes:
            start_web(self.candor, workers=2)
        if "dispatcher" not in self.candor.processes:
            self.candor.start_dispatcher()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    postgres, redis = Postgres(), Redis(tmp_path_factory.mktemp("redis"))
    postgres.start()
    redis.start()
    candor = Candor(tmp_path_factory.mktemp("house"), env={"PAGE_NAME": "Acme", "REDIS_URL": redis.url})
    candor.env["DATABASE_URL"] = postgres.create("load")
    candor.manage("setup")
    code = candor.manage("shell", "-v0", "-c", PREPARE).split()[-1]
    candor.manage("publish")
    nginx = Nginx(tmp_path_factory.mktemp("nginx"), candor.folder / "data", candor.port)
    paths = ["/", f"/incidents/{code}", "/history.atom", "/api/v2/summary.json"]
    running = House(candor, postgres, redis, nginx, paths)
    try:
        running.mend()
        nginx.start()
        yield running
    finally:
        nginx.stop()
        candor.stop()
        redis.stop()
        postgres.stop()


def read_while(house: House, lose: Callable[[], None], *, port: int) -> Load:
    """The load, of which the first quarter still found everything in order."""
    load = Load(port, house.paths, rate=RATE, seconds=SECONDS)
    load.start()
    time.sleep(SECONDS / 4)
    try:
        assert load.is_alive()
        lose()
        load.join(SECONDS * 3)
    finally:
        house.mend()
    assert not load.is_alive()
    return load


@pytest.mark.parametrize("what", ["database", "redis", "dispatcher", "all_three"])
def test_the_front_door_answers_all_readers_without(
    house: House, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    load = read_while(house, getattr(house, f"lose_{what}"), port=house.candor.port)
    say(capsys, f"{what} lost under {RATE} requests/s for {SECONDS} s, front door: {load.tally}")
    assert load.tally.total == RATE * SECONDS
    assert load.tally.share >= ENOUGH


def test_nginx_answers_all_readers_without_the_application(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    load = read_while(house, house.lose_application, port=house.nginx.port)
    say(capsys, f"application killed under {RATE} requests/s for {SECONDS} s, nginx: {load.tally}")
    assert load.tally.total == RATE * SECONDS
    assert load.tally.share >= ENOUGH
