import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import Candor
from tests.servers import Redis, accepts, wait_until

# One process of a parallel run takes them all: they share the running product.
pytestmark = pytest.mark.xdist_group("supervisor")

MARKS = {"statuspage.frontdoor": "web", "statuspage.appserver": "app", "dispatch": "dispatcher", "celery": "worker"}


def command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")
    except FileNotFoundError:
        return []


def is_alive(pid: int) -> bool:
    """A zombie, which nobody has asked for its exit code, is not."""
    return bool("".join(command_line(pid)))


def children(candor: Candor) -> dict[str, int]:
    """The process ids of what the supervisor runs, by name."""
    pid = candor.processes["supervisor"].pid
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return {name: int(pid) for pid in pids for mark, name in MARKS.items() if mark in command_line(int(pid))}


def all_below(pid: int) -> list[int]:
    own = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    return own + [below for child in own for below in all_below(child)]


def assert_all_end(pids: list[int]) -> None:
    wait_until(lambda: not any(map(is_alive, pids)), "all processes end")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Candor]:
    candor = Candor(tmp_path_factory.mktemp("running"), env={"PAGE_NAME": "Acme"})
    candor.serve()
    yield candor
    candor.stop()


def test_web_and_dispatcher_run_and_the_page_answers(running: Candor) -> None:
    assert set(children(running)) == {"web", "app", "dispatcher"}
    assert "<h1" in running.get("/")
    assert f"console: {running.url}/console/" in running.log


def test_the_app_records_heartbeats_and_prometheus_reads_its_metrics(running: Candor) -> None:
    metrics = running.get("/metrics")
    assert 'candor_heartbeat_age_seconds{process="app"}' in metrics
    assert "candor_database_up 1.0" in metrics
    wait_until(lambda: "candor_frontdoor_requests_total{" in running.get("/metrics"), "requests are counted")


@pytest.mark.parametrize("name", ["dispatcher", "web", "app"])
def test_a_child_that_is_killed_is_started_again(running: Candor, name: str) -> None:
    before = children(running)[name]
    left_behind = all_below(before)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: children(running).get(name, before) != before, f"{name} runs again")
    assert f"candor: {name} exited with signal SIGKILL; restarting" in running.log
    assert_all_end(left_behind)
    wait_until(lambda: running.status("/accounts/login/") == 200, "the app answers")


def test_sighup_replaces_all_processes_while_the_page_answers(running: Candor) -> None:
    before = children(running)
    supervisor = running.processes["supervisor"]
    supervisor.send_signal(signal.SIGHUP)
    wait_until(lambda: running.status("/livez") != 200 or "candor: reloaded" in running.log, "it is done", seconds=120)
    assert running.status("/livez") == 200, "no connection was refused"
    after = children(running)
    assert set(after) == set(before)
    assert not set(after.values()) & set(before.values())
    assert running.status("/accounts/login/") == 200
    assert supervisor.poll() is None


def test_a_second_start_on_the_same_port_says_so_and_does_nothing(running: Candor, candor: Candor) -> None:
    candor.port = running.port
    second = candor.start("supervisor", "-m", "statuspage.supervisor")
    assert second.wait(20) == 2
    assert f"port {running.port} on 127.0.0.1 is taken" in candor.log
    assert not (candor.folder / "data/private/candor.sqlite3").exists()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "abc", "PORT is not valid"),
        ("PORT", "99999", "ports go from 1 to 65535"),
        ("HOST", "192.0.2.9", "cannot listen on 192.0.2.9"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL is not valid"),
        ("DATA_DIR", "/dev/null/data", "DATA_DIR: /dev/null/data cannot be used: Not a directory"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_started(candor: Candor, name: str, value: str, message: str) -> None:
    candor.env[name] = value
    assert candor.start("supervisor", "-m", "statuspage.supervisor").wait(20) == 2
    assert message in candor.log
    assert "Traceback" not in candor.log


def test_a_failed_setup_starts_nothing(candor: Candor) -> None:
    candor.env["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/none"
    candor.prepare()
    supervisor = candor.start("supervisor", "-m", "statuspage.supervisor")
    assert supervisor.wait(60) not in {0, None}
    assert "Nothing was started" in candor.log
    assert not accepts(candor.port)


def test_a_wrong_target_is_named_and_nothing_is_started(candor: Candor) -> None:
    candor.env["PUBLISH_TO"] = "ftp://example.com"
    assert candor.start("supervisor", "-m", "statuspage.supervisor").wait(60) not in {0, None}
    assert "PUBLISH_TO: “ftp://example.com” is not a target" in candor.log
    assert not accepts(candor.port)


def test_without_its_database_the_published_page_is_served_and_all_else_follows_when_it_is_back(candor: Candor) -> None:
    disk = candor.folder / "disk"
    disk.mkdir()
    candor.env["DATABASE_URL"] = f"sqlite:///{disk}/candor.sqlite3"
    candor.manage("setup")
    candor.manage("publish")
    away = disk.rename(candor.folder / "unplugged")
    candor.serve()
    assert "The published page is still served" in candor.log
    assert set(children(candor)) == {"web", "app"}
    assert "<h1" in candor.get("/")
    assert "<feed" in candor.get("/history.atom")
    away.rename(disk)
    wait_until(lambda: "starting the other processes" in candor.log, "setup is done", seconds=60)
    wait_until(lambda: set(children(candor)) == {"web", "app", "dispatcher"}, "the dispatcher runs too")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_and_that_is_no_error(candor: Candor, number: signal.Signals) -> None:
    candor.serve()
    pids = all_below(candor.processes["supervisor"].pid)
    assert len(pids) >= 3
    candor.processes["supervisor"].send_signal(number)
    assert candor.processes["supervisor"].wait(10) == 0
    assert [pid for pid in pids if is_alive(pid)] == []


def test_a_child_that_does_not_listen_is_killed_within_ten_seconds(candor: Candor) -> None:
    candor.serve()
    pids = all_below(candor.processes["supervisor"].pid)
    os.kill(children(candor)["dispatcher"], signal.SIGSTOP)
    candor.processes["supervisor"].terminate()
    assert candor.processes["supervisor"].wait(10) == 0
    assert_all_end(pids)


def test_children_do_not_outlive_a_supervisor_that_is_killed(candor: Candor) -> None:
    candor.serve()
    pids = all_below(candor.processes["supervisor"].pid)
    candor.kill("supervisor")
    assert_all_end(pids)
    assert not accepts(candor.port)


def test_with_redis_a_celery_worker_runs_too_and_stops_with_the_rest(candor: Candor, redis_server: Redis) -> None:
    candor.env |= {"REDIS_URL": redis_server.url, "HOST": "localhost"}
    candor.serve()
    assert set(children(candor)) == {"web", "app", "dispatcher", "worker"}
    pids = all_below(candor.processes["supervisor"].pid)
    candor.processes["supervisor"].terminate()
    assert candor.processes["supervisor"].wait(10) == 0
    assert_all_end(pids)
