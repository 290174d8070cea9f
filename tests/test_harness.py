"""The servers that other tests stand on really run and really stop."""

import os
import smtplib
import socket
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.live import ROOT
from tests.servers import Postgres, Redis, SmtpSink, accepts


def test_redis_can_be_stopped_and_started_again(redis_server: Redis) -> None:
    redis_server.stop()
    assert not accepts(redis_server.port)
    redis_server.start()
    assert accepts(redis_server.port)


def test_postgres_makes_databases(postgres_server: Postgres) -> None:
    import psycopg

    with psycopg.connect(postgres_server.create("harness")) as connection:
        assert connection.execute("select current_database()").fetchone() == ("harness",)


def test_the_smtp_sink_keeps_what_it_accepts(smtp_sink: SmtpSink) -> None:
    smtp_sink.refuse["gone@example.com"] = "550 no such user"
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Hi", "a@example.com", "b@example.com"
    with smtplib.SMTP("127.0.0.1", smtp_sink.controller.port) as client:
        client.send_message(message, to_addrs=["b@example.com", "gone@example.com"])
    assert [email.recipient for email in smtp_sink.emails] == ["b@example.com"]
    assert b"Subject: Hi" in smtp_sink.emails[0].raw


def run_a_skipped_test(folder: Path, *, ci: str) -> subprocess.CompletedProcess[str]:
    test = folder / "test_skipped.py"
    test.write_text("import pytest\n\ndef test_it() -> None:\n    pytest.skip('no server')\n", encoding="ascii")
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "--rootdir", ".", str(test)]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, "CI": ci}, check=False, stdout=subprocess.PIPE, text=True
    )


def test_a_skipped_test_fails_the_run_in_ci_only(tmp_path: Path) -> None:
    assert run_a_skipped_test(tmp_path, ci="").returncode == 0
    in_ci = run_a_skipped_test(tmp_path, ci="true")
    assert in_ci.returncode == 1
    assert "nothing may be skipped" in in_ci.stdout


def test_tests_of_a_group_share_a_process_and_are_reported_by_name(tmp_path: Path) -> None:
    test, failures = tmp_path / "test_group.py", tmp_path / "failures"
    test.write_text(
        "import os, time, pytest\npytestmark = pytest.mark.xdist_group('some')\n"
        "@pytest.mark.parametrize('number', range(4))\n"
        "def test_it(number: int) -> None:\n"
        "    time.sleep(0.1)\n    assert number, os.environ['PYTEST_XDIST_WORKER']\n"
        "    open(f'{__file__}.{os.environ[\"PYTEST_XDIST_WORKER\"]}', 'w').close()\n",
        encoding="ascii",
    )
    options = ["-c", "pyproject.toml", "--rootdir", ".", "-n", "2", "--dist", "loadgroup", "--failures-to"]
    command = [sys.executable, "-m", "pytest", *options, str(failures), str(test)]
    subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE)
    assert failures.read_text(encoding="utf-8").endswith("::test_it[0]\n")
    assert len(list(tmp_path.glob("test_group.py.gw*"))) == 1


def test_the_outside_is_out_of_reach() -> None:
    with pytest.raises(UserWarning, match="tried to use"), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))
