"""bin/manage runs management commands with the settings of the running install."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import ROOT, prepared_data


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    file = tmp_path / "candor.env"
    file.write_text(f"DATA_DIR={tmp_path}/data\nPAGE_NAME=Acme status\n", encoding="utf-8")
    return file


def manage(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run bin/manage in `folder`, with this Python's virtual environment and no settings but `environment`."""
    base = {"PATH": os.environ["PATH"], "VENV": sys.prefix, "SERVICE_ENV_FILE": str(folder / "none.env")}
    return subprocess.run(
        [str(ROOT / "bin/manage"), *arguments],
        cwd=folder,
        env=base | environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("variable", ["ENV_FILE", "SERVICE_ENV_FILE"])
def test_a_command_uses_the_settings_file(tmp_path: Path, settings_file: Path, variable: str) -> None:
    result = manage("check", folder=tmp_path, **{variable: str(settings_file)})
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "data/private").exists()


def test_env_file_wins_over_the_services_settings(tmp_path: Path, settings_file: Path) -> None:
    other = tmp_path / "other.env"
    other.write_text(f"DATA_DIR={tmp_path}/other\n", encoding="utf-8")
    result = manage("check", folder=tmp_path, ENV_FILE=str(other), SERVICE_ENV_FILE=str(settings_file))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "other").exists()
    assert not (tmp_path / "data").exists()


def test_relative_paths_are_relative_to_the_current_folder(tmp_path: Path, settings_file: Path) -> None:
    shutil.copytree(prepared_data(), tmp_path / "data")
    (tmp_path / "history.csv").write_text("no such column\n", encoding="utf-8")
    result = manage("import_page", "csv", "history.csv", folder=tmp_path, ENV_FILE=str(settings_file))
    assert result.returncode != 0
    assert "No such file" not in result.stderr


@pytest.fixture
def install() -> Iterator[Path]:
    """A folder that everybody may enter, with bin/manage and a settings file that only its owner may read."""
    with tempfile.TemporaryDirectory(prefix="candor-manage-") as name:
        folder = Path(name)
        (folder / "bin").mkdir()
        shutil.copy(ROOT / "bin/manage", folder / "bin")
        (folder / "candor.env").write_text("PAGE_NAME=Acme\n", encoding="utf-8")
        (folder / "candor.env").chmod(0)
        folder.chmod(0o755)
        yield folder


def test_an_unreadable_settings_file_is_an_error_that_names_the_user_to_run_as(install: Path) -> None:
    as_nobody = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    result = subprocess.run(
        [*as_nobody, str(install / "bin/manage"), "check"],
        cwd="/",
        env={"PATH": os.environ["PATH"], "SERVICE_ENV_FILE": str(install / "candor.env")},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert f"sudo -u candor {install}/bin/manage check" in result.stderr
