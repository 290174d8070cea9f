"""The commands of docs/operating.md, run as they are written, in a copy of the project with real databases.

Only the URL of the database server is replaced.
"""

import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live import ROOT, prepared_data
from tests.servers import Postgres

# One process of a parallel run takes them all.
pytestmark = pytest.mark.xdist_group("setup")

SERVER = "postgres://candor:password@db.example.com"
BLOCK = re.compile(r"<!-- test: (.+?) -->\n+( *)```sh\n(.*?)\n *```", re.DOTALL)
FILES = ("bin", "incidents", "statuspage", "templates", "static", "manage.py", "requirements.txt")
STATE = (
    "from django.apps import apps; print({model._meta.db_table: model._base_manager.count()"
    " for model in apps.get_models() if model._meta.managed and 'retention' not in model._meta.db_table})"
)
LINK = "from django.core import signing; print(signing.dumps('subscriber'))"


def documented() -> dict[str, str]:
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    return {name: re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for name, indent, code in BLOCK.findall(text)}


@dataclass
class Installation:
    folder: Path
    postgres: str = ""

    def __post_init__(self) -> None:
        for name in FILES:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.folder / name)
            else:
                shutil.copy(source, self.folder / name)

    def run(self, script: str) -> str:
        own = ("DATA_DIR", "ENV_FILE", "SECRET_KEY", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "SERVICE_ENV_FILE")
        environment = {name: value for name, value in os.environ.items() if name not in own}
        environment |= {"VENV": sys.prefix, "SERVICE_ENV_FILE": "/nonexistent"}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()

    def follow(self, name: str) -> str:
        """Run the documented commands."""
        return self.run(documented()[name].replace(SERVER, self.postgres))

    def shell(self, code: str) -> str:
        return self.run(f'bin/manage shell --no-imports -c "{code}"')

    @property
    def key(self) -> str:
        return (self.folder / "var/private/secret_key").read_text(encoding="ascii")

    def lose(self) -> None:
        """Change the data after the backup."""
        self.shell("from incidents.models import Page; Page.objects.all().delete()")


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    installation = Installation(tmp_path / "old")
    (installation.folder / ".env").write_text("PAGE_NAME=Acme\n", encoding="utf-8")
    shutil.copytree(prepared_data(), installation.folder / "var")
    installation.run("bin/manage setup")
    return installation


def test_sqlite_is_backed_up_and_restored(installation: Installation) -> None:
    installation.run("bin/manage publish")
    before, key = installation.shell(STATE), installation.key
    installation.follow("back up SQLite")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (installation.folder / "backup").iterdir()]
    assert modes == [0o600, 0o600]
    installation.shell(
        "from incidents.models import Page; from incidents.actor import SYSTEM;"
        " from incidents.actions.components.component_lifecycle import create_component;"
        " create_component(Page.objects.get(), name='API', actor=SYSTEM)"
    )
    installation.run("bin/manage publish")
    installation.lose()
    (installation.folder / "var/private/secret_key").write_text("k" * 50)
    assert installation.shell(STATE) != before
    installation.follow("restore SQLite")
    installation.follow("update")
    assert installation.shell(STATE) == before
    assert installation.key == key
    assert "a backup was restored" in installation.run("! bin/manage publish")
    installation.follow("adopt")
    installation.run("bin/manage publish")


def test_a_machine_is_moved(installation: Installation, tmp_path: Path) -> None:
    new = Installation(tmp_path / "new")
    before = installation.shell(STATE)
    installation.follow("pack")
    shutil.move(installation.folder / "candor-data.tar.gz", new.folder)
    new.follow("unpack")
    new.follow("update")
    assert new.shell(STATE) == before
    assert new.key == installation.key
    assert stat.S_IMODE((new.folder / "var/private").stat().st_mode) == 0o700


def test_after_a_rotation_earlier_links_work_and_the_key_is_new(installation: Installation) -> None:
    link, key = installation.shell(LINK), installation.key
    installation.follow("rotate")
    assert installation.shell(f"from django.core import signing; print(signing.loads('{link}'))") == "subscriber"
    assert installation.key != key


def test_a_move_to_postgresql_its_backup_and_its_restoration(
    installation: Installation, postgres_server: Postgres
) -> None:
    postgres_server.create("candor")
    installation.postgres = postgres_server.url().removesuffix("/postgres")
    before = installation.shell(STATE)
    installation.follow("copy to PostgreSQL")
    installation.follow("use PostgreSQL")
    assert installation.shell("from django.db import connection; print(connection.vendor)") == "postgresql"
    assert installation.shell(STATE) == before
    installation.follow("back up PostgreSQL")
    installation.lose()
    installation.follow("restore PostgreSQL")
    installation.follow("update")
    assert installation.shell(STATE) == before


def test_every_marked_block_is_run_by_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert len(documented()) == 11
    assert [name for name in documented() if f'follow("{name}")' not in source] == []
