"""bin/serve on a machine that lacks something: it says in plain words what to install."""

import subprocess
from pathlib import Path

from tests.live import ROOT

NAMES = ("python3", "python3.11", "python3.12", "python3.13")


def serve_with_python(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run bin/serve where every python is this shell script."""
    for name in NAMES:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "VENV": str(folder / "venv")}
    return subprocess.run(
        ["bash", "bin/serve"], cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=60
    )


def test_without_a_new_enough_python_it_says_what_to_install(tmp_path: Path) -> None:
    done = serve_with_python(tmp_path, "exit 1")
    assert done.returncode != 0
    assert "apt-get install python3 python3-venv" in done.stderr


def test_without_the_venv_package_it_says_what_to_install_and_leaves_nothing_half_made(tmp_path: Path) -> None:
    done = serve_with_python(tmp_path, 'case "$*" in "-m venv"*) mkdir -p "$3"; exit 1;; esac')
    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stderr
    assert not (tmp_path / "venv").exists()
