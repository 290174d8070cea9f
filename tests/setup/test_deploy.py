"""The files in deploy/, as far as they can be checked without the machines that they are for."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from statuspage.supervisor import app, background_processes, web
from tests.live import ROOT
from tests.servers import missing

DEPLOY = ROOT / "deploy"
PYTHON = "/opt/candor/.venv/bin/python"
UNITS = sorted(DEPLOY.glob("systemd/*.service"))


def section(unit: Path) -> dict[str, str]:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(unit.read_text(encoding="utf-8"))
    return dict(parsed["Service"])


def options(command: list[str]) -> list[str]:
    """Without the interpreter, the place and the numbers, which are for each operator to choose."""
    arguments = [part.removeprefix(f"{settings.BASE_DIR}/") for part in command[1:]]
    return [part for part in arguments if not re.fullmatch(r"\d+|127\.0\.0\.1", part)]


def test_the_units_run_what_the_supervisor_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1")
    children = {child.name: options(child.command) for child in (web(), app(), *background_processes())}
    units = {unit.stem.removeprefix("candor-"): options(section(unit)["ExecStart"].split()) for unit in UNITS}
    assert units == children


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_the_units(unit: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        missing("systemd-analyze", "systemd")
    for source in (*UNITS, *DEPLOY.glob("systemd/*.socket")):
        (tmp_path / source.name).write_text(source.read_text(encoding="utf-8").replace(PYTHON, sys.executable))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / unit.name)]
    checked = subprocess.run(command, capture_output=True, check=False, text=True)
    complaints = [line for line in checked.stderr.splitlines() if "candor" in line]
    assert not complaints
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_the_units_may_do_little(unit: Path) -> None:
    directives = section(unit)
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictSUIDSGID"):
        assert directives[name] == "yes", name
    assert (directives["ProtectSystem"], directives["CapabilityBoundingSet"]) == ("strict", "")


def test_what_the_image_copies_is_there_and_is_sent_to_the_builder() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    sent = re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(copied) == sorted(sent)
    assert all((ROOT / name).exists() for name in copied)


def test_composed_services_are_told_only_settings_that_there_are() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z_0-9]+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    candor = text.split("environment:")[1].split("ports:")[0]
    assert set(re.findall(r"^      ([A-Z_]+):", candor, re.MULTILINE)) <= documented
