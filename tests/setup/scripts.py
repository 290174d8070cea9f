"""Run bin/serve and bin/test in an environment of the test's choice: its own PATH, its own virtual environment."""

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.live import ROOT

# The programs that the scripts themselves need, which every system has.
BASIC_PROGRAMS = ("bash", "cat", "dirname", "env", "grep", "id", "mktemp", "rm", "sed", "sh", "sha256sum")


def write_program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # it may be a link to a real program
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@dataclass
class Machine:
    """A folder that is the only one on PATH, with the basic programs and those that the test adds."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.programs.mkdir(parents=True)
        for name in BASIC_PROGRAMS:
            program = shutil.which(name)
            assert program, name
            (self.programs / name).symlink_to(program)

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    @property
    def venv(self) -> Path:
        return self.folder / "venv"

    def add_program(self, name: str, script: str) -> None:
        write_program(self.programs / name, script)

    def add_venv(self, python: str = f'exec {sys.executable} "$@"') -> None:
        """Make a virtual environment whose dependencies count as installed. `python` is its interpreter's script."""
        write_program(self.venv / "bin/python", python)
        write_program(self.venv / "bin/pip", "exit 1")
        for lock_file in ("requirements.txt", "requirements-dev.txt"):
            digest = hashlib.sha256((ROOT / lock_file).read_bytes()).hexdigest()
            (self.venv / f"{lock_file}.sha256").write_text(f"{digest}  {lock_file}\n", encoding="ascii")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a script of this repository. SERVER_PATH is empty, so that servers are found on PATH only."""
        environment = {"PATH": str(self.programs), "SERVER_PATH": "", "VENV": str(self.venv), **self.variables}
        return subprocess.run(
            [str(self.programs / "bash"), *command],
            cwd=ROOT,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )
