"""bin/test: missing servers skip tests with one line each, and failures are reported from the run they happened in."""

import json
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.setup.scripts import Machine

# Tests that need Redis, PostgreSQL, nginx, Node.js, systemd-analyze, OpenSSL, setpriv and Chromium.
NEEDING_SERVERS = (
    "tests/test_harness.py::test_redis_can_be_stopped_and_started_again",
    "tests/test_harness.py::test_postgres_makes_databases",
    "tests/publishing/test_nginx.py",
    "tests/clients/test_public_clients.py::test_the_client_for_node_reads_what_is_on_the_page",
    "tests/setup/test_deploy.py::test_systemd_understands_the_units",
    "tests/importers/test_redirects.py",
    "tests/clients/test_public_clients.py::test_the_product_itself_answers_head_and_two_slashes_and_a_capital_letter",
    "tests/e2e/test_main_job.py",
)
MISSING = ("Redis", "PostgreSQL", "nginx", "Node.js with npm", "systemd-analyze", "openssl", "setpriv", "Chromium")

# Stands for pytest: each run takes the next of the planned results.
FAKE_PYTEST = """
import json, pathlib, sys
folder = pathlib.Path(__file__).parent
plan = json.loads((folder / "plan.json").read_text())
returncode, failures = plan.pop(0)
(folder / "plan.json").write_text(json.dumps(plan))
with (folder / "runs").open("a") as runs:
    print(*sys.argv[1:], file=runs)
if failures is not None:
    file = pathlib.Path(sys.argv[sys.argv.index("--failures-to") + 1])
    file.write_text("".join(f"{name}\\n" for name in failures))
sys.exit(returncode)
"""


class Run(NamedTuple):
    """A run of pytest: its return code and the failures it reports. None: it crashes before it can report any."""

    returncode: int
    failures: list[str] | None


PASSED, CRASHED = Run(0, []), Run(1, None)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without any server."""
    return Machine(tmp_path / "machine")


def plan_runs(machine: Machine, *runs: Run) -> None:
    script = machine.folder / "fake_pytest.py"
    script.write_text(FAKE_PYTEST, encoding="utf-8")
    (machine.folder / "plan.json").write_text(json.dumps(runs), encoding="utf-8")
    machine.add_venv(python=f'[ "$1" = -c ] || exec {sys.executable} {script} "$@"')


def summary(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith(("Failed", "Passed", "The tests with"))]


def test_each_missing_server_is_one_line_and_no_failure(machine: Machine) -> None:
    machine.add_venv()
    result = machine.run("bin/test", "-q", *NEEDING_SERVERS)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = [line for line in result.stdout.splitlines() if "is not installed" in line]
    assert all(line.startswith("Skipped ") and "bin/test --install" in line for line in lines), lines
    names = [line.partition(": ")[2].partition(" is not installed")[0] for line in lines]
    assert sorted(names) == sorted(MISSING)


def test_in_ci_a_missing_server_is_a_failure(machine: Machine) -> None:
    machine.add_venv()
    machine.variables["CI"] = "true"
    result = machine.run("bin/test", "-q", NEEDING_SERVERS[0])
    assert result.returncode == 1
    assert "\nRedis is not installed. Install it with: bin/test --install" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize(("ci", "returncode", "verb"), [("", 0, "Skipped"), ("true", 1, "Failed")])
def test_without_postgresql_a_run_on_it_prints_one_line(machine: Machine, ci: str, returncode: int, verb: str) -> None:
    machine.add_venv()
    machine.variables["CI"] = ci
    result = machine.run("bin/test", "--postgres", "tests/incidents")
    assert result.returncode == returncode
    (line,) = (result.stdout + result.stderr).splitlines()
    assert line.startswith(f"{verb} all tests on PostgreSQL: PostgreSQL is not installed.")
    assert "bin/test --install" in line


def test_everything_runs_on_sqlite_then_on_postgresql(machine: Machine) -> None:
    plan_runs(machine, PASSED, PASSED)
    result = machine.run("bin/test")
    assert result.returncode == 0, result.stderr
    sqlite, postgres = (machine.folder / "runs").read_text(encoding="utf-8").splitlines()
    assert "--sqlite" in sqlite
    assert "--postgres" in postgres


def test_a_test_that_passes_alone_is_named_and_is_no_failure(machine: Machine) -> None:
    plan_runs(machine, Run(1, ["a::x"]), PASSED, PASSED)
    result = machine.run("bin/test")
    assert result.returncode == 0
    assert summary(result.stdout) == ["Passed only alone: a::x"]


def test_only_what_failed_in_the_second_run_failed_twice(machine: Machine) -> None:
    plan_runs(machine, Run(1, ["a::x", "b::y"]), Run(1, ["b::y"]))
    result = machine.run("bin/test", "--parallel", "tests/public")
    assert result.returncode == 1
    assert summary(result.stdout) == ["Passed only alone: a::x", "Failed twice: b::y"]


def test_a_run_that_crashes_reports_no_failures_of_an_earlier_run(machine: Machine) -> None:
    plan_runs(machine, Run(1, ["a::x"]), Run(1, ["a::x"]), CRASHED)
    result = machine.run("bin/test")
    assert result.returncode == 1
    assert summary(result.stdout) == [
        "Failed twice: a::x",
        "The tests with --postgres ended with an error before any test failed (see above).",
    ]


def test_a_second_run_that_crashes_is_not_reported_as_a_second_failure(machine: Machine) -> None:
    plan_runs(machine, Run(1, ["a::x"]), Run(1, ["a::x"]), Run(1, ["b::y"]), CRASHED)
    result = machine.run("bin/test")
    assert result.returncode == 1
    assert summary(result.stdout) == [
        "Failed twice: a::x",
        "Failed, and the second run ended with an error: b::y",
    ]
