"""bin/serve and bin/test on a machine where something is missing: they say what to install, or install it."""

from pathlib import Path

import pytest

from tests.setup.scripts import Machine

PYTHON_NAMES = ("python3", "python3.11", "python3.12", "python3.13")
SERVERS = ("redis-server", "postgresql", "nginx", "chromium", "fonts-dejavu-core", "nodejs", "npm")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


@pytest.fixture
def debian(machine: Machine) -> Machine:
    """Debian, as root, with no package installed. Calls of apt-get and sudo are written to the file `calls`."""
    machine.add_program("apt-get", f'echo "apt-get $*" >>{machine.folder}/calls')
    machine.add_program("dpkg-query", "exit 1")
    machine.add_program("id", "echo 0")
    machine.add_venv(python=f'echo "python $*" >>{machine.folder}/calls')
    return machine


def calls(machine: Machine) -> list[str]:
    """Return the recorded calls, without those that check the Python version."""
    file = machine.folder / "calls"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [line for line in lines if not line.startswith("python -c")]


def replace_python(machine: Machine, script: str) -> None:
    for name in PYTHON_NAMES:
        machine.add_program(name, script)


@pytest.mark.parametrize("script", ["bin/serve", "bin/test"])
def test_without_a_new_enough_python_it_says_what_to_install(machine: Machine, script: str) -> None:
    replace_python(machine, "exit 1")
    result = machine.run(script)
    assert result.returncode != 0
    assert f"{script} --install" in result.stderr
    assert "apt-get install python3 python3-venv" in result.stderr


def test_without_the_venv_package_it_says_what_to_install_and_leaves_nothing_half_made(machine: Machine) -> None:
    replace_python(machine, 'case "$*" in "-m venv"*) mkdir -p "$3"; exit 1;; esac')
    result = machine.run("bin/serve")
    assert result.returncode != 0
    assert "bin/serve --install" in result.stderr
    assert "apt-get install python3-venv" in result.stderr
    assert not machine.venv.exists()


def test_serve_installs_the_missing_packages_then_starts(debian: Machine) -> None:
    result = debian.run("bin/serve", "--install")
    assert result.returncode == 0, result.stderr
    update, install, start = calls(debian)
    assert update == "apt-get -qq update"
    assert install == "apt-get -qq install -y --no-install-recommends python3 python3-venv"
    assert start == "python -m statuspage.supervisor"


def test_test_installs_the_missing_servers_then_passes_its_arguments_to_pytest(debian: Machine) -> None:
    debian.add_program("dpkg-query", 'case "$*" in *nginx*|*python3*) echo "install ok installed";; *) exit 1;; esac')
    result = debian.run("bin/test", "--install", "tests/public", "-k", "feed")
    assert result.returncode == 0, result.stderr
    _update, install, start = calls(debian)
    packages = set(install.split())
    assert {*SERVERS} - packages == {"nginx"}
    assert "python3-venv" not in packages
    assert start == "python -m pytest tests/public -k feed"


def test_nothing_is_installed_where_nothing_is_missing(debian: Machine) -> None:
    debian.add_program("dpkg-query", 'echo "install ok installed"')
    assert debian.run("bin/serve", "--install").returncode == 0
    assert calls(debian) == ["python -m statuspage.supervisor"]


def test_an_ordinary_user_installs_with_sudo(debian: Machine) -> None:
    debian.add_program("id", "echo 1000")
    debian.add_program("sudo", f'echo "sudo $*" >>{debian.folder}/calls; shift; exec "$@"')
    debian.add_program("true", "exit 0")
    result = debian.run("bin/serve", "--install")
    assert result.returncode == 0, result.stderr
    assert "sudo -n apt-get -qq update" in calls(debian)
    assert calls(debian)[-2].endswith("python3 python3-venv")


def test_without_the_rights_to_install_it_names_the_packages_and_starts_nothing(debian: Machine) -> None:
    debian.add_program("id", "echo 1000")
    debian.add_program("sudo", "exit 1")
    result = debian.run("bin/serve", "--install")
    assert result.returncode != 0
    assert "sudo apt-get install python3 python3-venv" in result.stderr
    assert calls(debian) == []


def test_a_failed_installation_names_the_packages_and_starts_nothing(debian: Machine) -> None:
    debian.add_program("apt-get", "exit 100")
    result = debian.run("bin/serve", "--install")
    assert result.returncode != 0
    assert "could not install these packages (see above): python3 python3-venv" in result.stderr
    assert calls(debian) == []


def test_on_other_systems_it_names_the_packages_and_starts_nothing(machine: Machine) -> None:
    machine.add_venv(python=f'echo "python $*" >>{machine.folder}/calls')
    result = machine.run("bin/test", "--install")
    assert result.returncode != 0
    assert "only on Debian and Ubuntu" in result.stderr
    assert all(package in result.stderr for package in SERVERS)
    assert calls(machine) == []


def test_serve_refuses_an_unknown_option(debian: Machine) -> None:
    result = debian.run("bin/serve", "--instal")
    assert result.returncode == 2
    assert "Usage: bin/serve [--install]" in result.stderr
    assert calls(debian) == []
