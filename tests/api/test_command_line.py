"""`candor` in a terminal, against the running product."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from statuspage.api.cli.__main__ import main
from tests.api.conftest import Served
from tests.conventions.code import imports, sources
from tests.live import ROOT

pytestmark = pytest.mark.xdist_group("served-api")


@pytest.fixture
def environment(served: Served) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "CANDOR_URL": served.url,
        "CANDOR_TOKEN": served.token,
        "PYTHON": sys.executable,
    }


def run(environment: dict[str, str], *arguments: str, code: int = 0, stdin: str = "") -> str:
    process = subprocess.run(
        [str(ROOT / "bin/candor"), *arguments],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        input=stdin,
        timeout=60,
    )
    assert process.returncode == code, (process.returncode, process.stdout, process.stderr)
    return process.stdout if code in (0, 10) else process.stderr


def run_json(environment: dict[str, str], *arguments: str, stdin: str = "") -> Any:
    return json.loads(run(environment, "--json", *arguments, stdin=stdin))


def create_component(served: Served, name: str) -> None:
    import urllib.request

    request = urllib.request.Request(
        f"{served.url}/v1/pages/{served.page}/components",
        json.dumps({"component": {"name": name}}).encode(),
        {"Authorization": f"OAuth {served.token}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


def test_an_incident_from_the_first_update_to_the_postmortem(
    served: Served, environment: dict[str, str], tmp_path: Path
) -> None:
    create_component(served, "Checkout")
    arguments = ("incident", "open", "Slow", "--component", "checkout=partial_outage", "--body", "-", "--quiet")
    opened = run_json(environment, *arguments, stdin="Looking.")
    assert (opened["impact"], opened["incident_updates"][0]["body"]) == ("major", "Looking.")
    public_id = opened["id"]
    assert f"{public_id}  investigating Slow" in run(environment, "incident", "list")
    assert "Checkout: partial_outage" in run(environment, "status", "--exit-code", code=10)
    run(environment, "incident", "update", public_id, "--status", "identified", "--body", "A bad deploy.")
    resolved = run_json(environment, "incident", "resolve", public_id, "--restore", "--body", "Rolled back.")
    assert resolved["status"] == "resolved"
    assert [component["status"] for component in resolved["components"]] == ["operational"]
    text = tmp_path / "postmortem.md"
    text.write_text("## Why\n\nA bad deploy.", encoding="utf-8")
    assert "published" in run(environment, "publish", public_id, "--file", str(text), "--quiet")
    assert public_id in run(environment, "incident", "list", "--show", "all", "--json")


def test_a_component_is_set_by_name(served: Served, environment: dict[str, str]) -> None:
    create_component(served, "Sign-in")
    assert run(environment, "component", "set", "sign-in", "degraded_performance") == "Sign-in: degraded_performance\n"
    assert "degraded_performance  Sign-in" in run(environment, "component", "list")
    run(environment, "component", "set", "Sign-in", "operational")


def test_a_maintenance_is_scheduled(environment: dict[str, str]) -> None:
    arguments = ("--start", "2030-01-31T14:00+01:00", "--end", "2030-01-31T15:00+01:00")
    maintenance = run_json(environment, "maintenance", "schedule", "Night shift", *arguments)
    assert maintenance["scheduled_for"] == "2030-01-31T13:00:00.000Z"
    assert maintenance["scheduled_auto_in_progress"]
    by_hand = run_json(environment, "maintenance", "schedule", "Day shift", *arguments, "--by-hand", "--quiet")
    assert not by_hand["scheduled_auto_in_progress"]
    assert "Night shift" in run(environment, "incident", "list", "--show", "upcoming")


@pytest.mark.parametrize(
    ("changes", "arguments", "code", "message"),
    [
        ({}, ["incident", "update", "nosuchcode12", "--body", "x"], 1, "not found (404)"),
        ({}, ["component", "set", "nosuch", "operational"], 1, "There is no component named nosuch"),
        ({}, ["incident", "open", " "], 1, "missing"),
        ({}, ["incident"], 2, "required"),
        ({}, ["incident", "open", "x", "--status", "nonsense"], 2, "invalid choice"),
        ({}, ["incident", "update", "nosuchcode12"], 2, "Add --body"),
        ({}, ["maintenance", "schedule", "x", "--start", "soon", "--end", "later"], 2, "is not a valid time"),
        ({}, ["publish", "x", "--file", "/nosuch/file"], 2, "Cannot read"),
        ({"CANDOR_URL": ""}, ["status"], 2, "CANDOR_URL"),
        ({"CANDOR_URL": "ftp://x"}, ["status"], 2, "CANDOR_URL"),
        ({"CANDOR_TOKEN": ""}, ["status"], 2, "CANDOR_TOKEN"),
        ({"CANDOR_TOKEN": "wrong"}, ["status"], 3, "Could not authenticate (401)"),
        ({"CANDOR_URL": "http://127.0.0.1:1"}, ["status"], 4, "Cannot connect"),
    ],
)
def test_errors_have_a_message_and_an_exit_code(
    environment: dict[str, str], changes: dict[str, str], arguments: list[str], code: int, message: str
) -> None:
    assert message in run(environment | changes, *arguments, code=code)


def test_bash_completes_commands_and_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "candor.bash"
    script.write_text(capsys.readouterr().out, encoding="utf-8")

    def completed(*arguments: str) -> list[str]:
        typed = " ".join(f"'{word}'" for word in arguments)
        lines = f'. {script}; COMP_WORDS=({typed}); COMP_CWORD={len(arguments) - 1}; _candor; echo "${{COMPREPLY[@]}}"'
        return subprocess.run(["bash", "-c", lines], check=True, capture_output=True, text=True).stdout.split()

    assert {"incident", "component", "maintenance", "status", "publish"} <= set(completed("candor", ""))
    assert completed("candor", "inc") == ["incident"]
    assert {"open", "update", "resolve", "list"} <= set(completed("candor", "incident", ""))
    assert "investigating" in completed("candor", "incident", "open", "Name", "--status", "")
    assert completed("candor", "incident", "list", "--show", "u") == ["upcoming"]
    assert "partial_outage" in completed("candor", "component", "set", "API", "")


@pytest.mark.parametrize(("shell", "begins"), [("zsh", "#compdef candor"), ("fish", "complete -c candor")])
def test_zsh_and_fish_have_a_completion_script(capsys: pytest.CaptureFixture[str], shell: str, begins: str) -> None:
    main(["completion", shell])
    text = capsys.readouterr().out
    assert text.startswith(begins)
    assert "resolve" in text
    assert "degraded_performance" in text


def test_the_command_line_does_not_import_django() -> None:
    names = {name for name in sources() if name.startswith("statuspage/api/cli/")}
    assert len(names) >= 5
    for name in names:
        modules = imports(sources()[name])
        own = {module for module in modules if module.startswith(("django", "incidents", "statuspage"))}
        assert all(module.startswith("statuspage.api.cli") for module in own), name
    code = "import sys, statuspage.api.cli.__main__; sys.exit(any(n.startswith('django') for n in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
